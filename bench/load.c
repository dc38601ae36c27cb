/*
 * load ping ADDRESS COUNT: COUNT pings, one after the other; their median, in microseconds.
 *
 * load udp ADDRESS SIZE COUNT: COUNT echoes (port 7) of SIZE bytes, WINDOW under way; how many came
 * back a second.
 *
 * What bench/devices asks a guest, in C as Python would be the slower end of the two.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ECHO_PORT  7
#define WINDOW	   64
#define BYTES_MAX  1472
#define PINGS_MAX  100000
#define PING_BYTES 56
#define LOST	   1.0 /* seconds */
#define SILENT_MAX 10

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int open_to(const char *address, int type, int protocol, double patience)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	struct timeval timeout = {.tv_sec = (time_t)patience,
				  .tv_usec = (suseconds_t)((patience - (time_t)patience) * 1e6)};
	int fd = socket(AF_INET, type, protocol);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		errx(2, "%s: no address", address);
	if (fd == -1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0)
		err(1, "%s", address);
	return fd;
}

static uint16_t checksum(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(at[i] << 8 | at[i + 1]);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* Seconds from a ping to its answer. */
static double ping(int fd, uint16_t number)
{
	uint8_t packet[sizeof(struct icmphdr) + PING_BYTES] = {0}, answer[256];
	struct icmphdr header = {
	    .type = ICMP_ECHO,
	    .un.echo = {.id = htons((uint16_t)getpid()), .sequence = htons(number)}};
	struct icmphdr got;
	double start;
	ssize_t n;

	memcpy(packet, &header, sizeof(header));
	header.checksum = htons(checksum(packet, sizeof(packet)));
	memcpy(packet, &header, sizeof(header));
	start = now();
	if (send(fd, packet, sizeof(packet), 0) != (ssize_t)sizeof(packet))
		err(1, "ping");
	do {
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < (ssize_t)(sizeof(struct iphdr) + sizeof(got)))
			err(1, "ping %d: no answer", number);
		memcpy(&got, answer + sizeof(struct iphdr), sizeof(got));
	} while (got.type != ICMP_ECHOREPLY || got.un.echo.sequence != htons(number));
	return now() - start;
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static void measure_ping(const char *address, int count)
{
	static double seconds[PINGS_MAX];
	int fd = open_to(address, SOCK_RAW, IPPROTO_ICMP, 5);

	if (count < 1 || count > PINGS_MAX)
		errx(2, "1 to %d pings", PINGS_MAX);
	for (int i = 0; i < count; i++)
		seconds[i] = ping(fd, (uint16_t)i);
	qsort(seconds, (size_t)count, sizeof(*seconds), compare);
	printf("%.2f\n", seconds[count / 2] * 1e6);
	close(fd);
}

static struct mmsghdr messages[WINDOW];
static struct iovec vectors[WINDOW];
static uint8_t buffers[WINDOW][BYTES_MAX];

static void prepare(size_t size)
{
	for (int i = 0; i < WINDOW; i++) {
		vectors[i] = (struct iovec){.iov_base = buffers[i], .iov_len = size};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
}

/* What is missing after LOST seconds is lost, and replaced; all that is missing: nobody is there.
 */
static void measure_udp(const char *address, size_t size, long count)
{
	int fd = open_to(address, SOCK_DGRAM, 0, LOST);
	int under_way = 0, n, silent = 0;
	double start = now();
	long echoes = 0;

	if (size > BYTES_MAX)
		errx(2, "at most %d bytes", BYTES_MAX);
	prepare(size);
	while (echoes < count && silent < SILENT_MAX) {
		n = sendmmsg(fd, messages, (unsigned)(WINDOW - under_way), 0);
		under_way += n > 0 ? n : 0;
		n = recvmmsg(fd, messages, WINDOW, MSG_WAITFORONE, NULL);
		if (n == -1 && errno != EAGAIN)
			err(1, "udp");
		silent = n > 0 ? 0 : silent + 1;
		under_way = n > 0 && n < under_way ? under_way - n : 0;
		echoes += n > 0 ? n : 0;
	}
	if (silent == SILENT_MAX)
		errx(1, "udp: no answers");
	printf("%.0f\n", (double)echoes / (now() - start));
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "ping") == 0)
		measure_ping(argv[2], atoi(argv[3]));
	else if (argc == 5 && strcmp(argv[1], "udp") == 0)
		measure_udp(argv[2], strtoul(argv[3], NULL, 10), atol(argv[4]));
	else
		errx(2, "usage: load ping ADDRESS COUNT | load udp ADDRESS SIZE COUNT");
	return 0;
}
