/*
 * Stands in for vmm_monitor, for tests/e2e: it loads nothing, and is ready when it gets SIGUSR1,
 * from when on it keeps to the protocol. Its network devices are called service, service1 and so
 * on. With "vanish" as the guest's last argument it ends as soon as it has said so.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The descriptor of the option NAME; -1: none. */
static int option(char **argv, const char *name)
{
	for (; *argv; argv++)
		if (strncmp(*argv, name, strlen(name)) == 0)
			return atoi(*argv + strlen(name));
	return -1;
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(2);
}

/* Says what its network devices are called, and waits for the end of the answer. */
static void bind_nets(int status, char **argv)
{
	char line[128];
	unsigned n = 0;
	ssize_t len = 0;

	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		if (strncmp(*argv, "--net", 5) != 0)
			continue;
		snprintf(line, sizeof(line), n > 0 ? "net %u service%u\n" : "net %u service\n", n,
			 n);
		say(status, line);
		n++;
	}
	while (n > 0 && (len < 3 || memcmp(line, "end", 3) != 0)) {
		len = read(status, line, sizeof(line));
		if (len <= 0)
			_exit(2);
	}
}

static void wake(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	int status = option(argv, "--status=@"), go = option(argv, "--go=@");
	sigset_t usr1, none;
	char byte;

	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	signal(SIGUSR1, wake);
	say(status, "target false\n");
	bind_nets(status, argv);
	sigsuspend(&none);
	say(status, "ready\n");
	close(status);
	if (strcmp(argv[argc - 1], "vanish") == 0)
		return 3;
	if (go >= 0 && read(go, &byte, 1) != 1)
		return 1;
	say(STDOUT_FILENO, "false: runs\n");
	for (;;)
		pause();
}
