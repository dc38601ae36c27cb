/* Questions and answers (ask.h). */
#include "ask.h"

#include "report.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define TEXT_MAX   8192 /* of an argument */
#define ANSWER_MAX (sizeof("arg 4294967295 ") + TEXT_MAX)
#define MTU_MIN	   68 /* RFC 791 */

/* "net 0 service" */
static void say_places(const char *what, const struct devices *devices, const unsigned *place,
		       unsigned count)
{
	for (unsigned k = 0; k < count; k++)
		report_status("%s %u %s", what, k, devices->at[place[k]].name);
}

static bool macs_missing(const struct devices *devices)
{
	bool missing = false;

	for (unsigned k = 0; k < devices->nnets; k++)
		missing |= !devices->at[devices->net[k]].has_mac;
	return missing;
}

/* The next datagram as text into ANSWER, without a NUL in between. */
static void hear(int fd, char answer[ANSWER_MAX + 1])
{
	ssize_t n;

	do
		n = recv(fd, answer, ANSWER_MAX, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		report_fatal("no answer about the network: %s", strerror(errno));
	if (n == 0)
		report_fatal("no answer about the network: the other side has closed");
	if ((size_t)n > ANSWER_MAX)
		report_fatal("an answer about the network is too long: %zd bytes", n);
	answer[n] = '\0';
	if (strlen(answer) != (size_t)n)
		report_fatal("an answer about the network has a zero byte");
}

/* "K MAC MTU" */
static bool take_net(struct devices *devices, const char *text)
{
	struct device *device;
	uint64_t k, mtu;

	if (devices->nnets == 0)
		return false;
	text = parse_number(text, ' ', devices->nnets - 1, &k);
	if (text == NULL)
		return false;
	device = &devices->at[devices->net[k]];
	if (device->has_mac)
		return false;
	text = parse_mac(text + 1, ' ', device->mac);
	if (text == NULL || parse_number(text + 1, '\0', UINT16_MAX, &mtu) == NULL || mtu < MTU_MIN)
		return false;
	device->mtu = (uint16_t)mtu;
	device->has_mac = true;
	return true;
}

/* "N TEXT" */
static bool take_argument(char **args, const char *text)
{
	uint64_t n, count = 0;

	while (args[count] != NULL)
		count++;
	text = parse_number(text, ' ', TEXT_MAX, &n);
	if (text == NULL || n >= count || strlen(text + 1) > TEXT_MAX)
		return false;
	args[n] = strdup(text + 1);
	if (args[n] == NULL)
		report_fatal("no memory for an argument");
	return true;
}

static bool take(struct devices *devices, struct options *options, const char *answer)
{
	if (strncmp(answer, "net ", 4) == 0)
		return take_net(devices, answer + 4);
	if (strncmp(answer, "arg ", 4) == 0)
		return take_argument(options->args, answer + 4);
	return false;
}

/* Its first words are enough. */
static _Noreturn void refuse(char *answer)
{
	answer[strcspn(answer, "\n")] = '\0';
	report_fatal("'%.80s' is no answer about the network", answer);
}

/* Whoever made it may have wanted not to wait himself. */
static void make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		report_fatal("cannot wait on the status descriptor: %s", strerror(errno));
}

void ask_about_devices(struct devices *devices, struct options *options)
{
	static char answer[ANSWER_MAX + 1];

	say_places("net", devices, devices->net, devices->nnets);
	say_places("block", devices, devices->block, devices->nblocks);
	if (options->status_fd < 0 || !macs_missing(devices))
		return;
	make_blocking(options->status_fd);
	for (;;) {
		hear(options->status_fd, answer);
		if (strcmp(answer, "end") == 0)
			break;
		if (!take(devices, options, answer))
			refuse(answer);
	}
	if (macs_missing(devices))
		report_fatal("no answer about some network device");
}
