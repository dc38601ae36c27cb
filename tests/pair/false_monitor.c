/*
 * Stands in for vmm_monitor, for tests/e2e: it loads nothing, and is ready when it gets SIGUSR1,
 * from when on it keeps to the protocol. With "vanish" as the guest's last argument it ends as soon
 * as it has said so.
 */
#include <signal.h>
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
