/* Reads $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES and looks at the sockets. */
#include "handed.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_SHOWN 64 /* bytes of a name in $LISTEN_FDNAMES */

static bool read_number(const char *text, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == 0 && errno == 0;
}

int handed_count(unsigned most, struct refusal *why)
{
	const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
	unsigned long pid, count;

	if (pid_text == NULL || count_text == NULL)
		return 0;
	if (!read_number(pid_text, &pid)) {
		refusal_say(why, "$LISTEN_PID is \"%.32s\", no process's number", pid_text);
		return -1;
	}
	if (pid != (unsigned long)getpid())
		return 0;
	if (!read_number(count_text, &count) || count > most) {
		refusal_say(why, "$LISTEN_FDS is \"%.32s\", not a number of sockets up to %u",
			    count_text, most);
		return -1;
	}
	return (int)count;
}

/* " (NAME)" of socket number I, as $LISTEN_FDNAMES has it between colons; empty where it has none.
 */
static void read_name(unsigned i, char *out, size_t size)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int len;

	for (; names && i > 0; i--) {
		names = strchr(names, ':');
		names = names ? names + 1 : NULL;
	}
	len = names ? (int)strcspn(names, ":") : 0;
	snprintf(out, size, len > 0 ? " (%.*s)" : "", len < NAME_SHOWN ? len : NAME_SHOWN, names);
}

static bool has_option(int fd, int option, int expected)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == expected;
}

static bool is_tcp_listener(int fd)
{
	return (has_option(fd, SO_DOMAIN, AF_INET) || has_option(fd, SO_DOMAIN, AF_INET6)) &&
	       has_option(fd, SO_TYPE, SOCK_STREAM) && has_option(fd, SO_PROTOCOL, IPPROTO_TCP) &&
	       has_option(fd, SO_ACCEPTCONN, 1);
}

static bool write_address(int fd, char *out, size_t size)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	snprintf(out, size, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return true;
}

int handed_take(unsigned i, char *address, size_t size, struct refusal *why)
{
	int fd = HANDED_FIRST_FD + (int)i;
	char name[NAME_SHOWN + 4];

	read_name(i, name, sizeof(name));
	if (!is_tcp_listener(fd)) {
		refusal_say(why,
			    "descriptor %d%s in $LISTEN_FDS is no TCP socket that listens: of a "
			    "socket unit ListenStream=PORT or ADDR:PORT and Accept=no are wanted",
			    fd, name);
		return -1;
	}
	if (!write_address(fd, address, size) || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		refusal_say(why, "descriptor %d%s in $LISTEN_FDS: %s", fd, name, strerror(errno));
		return -1;
	}
	return fd;
}

void handed_forget(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}
