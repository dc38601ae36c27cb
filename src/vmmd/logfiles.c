/* Opens what vmm_log may not open itself. */
#include "logfiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "history.h"
#include "log.h"
#include "record.h"
#include "ringfile.h"

struct log_top {
	struct log_top *next;
	struct label label;
};

static const struct label host;

static bool has_ring(const struct daemon *d, const struct label *label)
{
	for (const struct log_top *top = d->eventlog.tops; top; top = top->next)
		if (label_equal(&top->label, label))
			return true;
	return false;
}

/* False: there is no memory, and its entries go into the host's ring. */
static bool note_ring(struct daemon *d, const struct label *label)
{
	struct log_top *top = malloc(sizeof(*top));

	if (top == NULL)
		return false;
	*top = (struct log_top){.next = d->eventlog.tops, .label = *label};
	d->eventlog.tops = top;
	return true;
}

/* The rings that earlier ones left. */
static void find_rings(struct daemon *d)
{
	int fd = openat(d->eventlog.dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct label label;

	while (dir && (entry = readdir(dir)) != NULL)
		if (record_dir_id(entry->d_name, label.byte) && !label_equal(&label, &host))
			note_ring(d, &label);
	if (dir)
		closedir(dir);
}

/* A ring that cannot be a file is as good until vmm_log ends. */
static int open_ring(const struct daemon *d, const struct label *label)
{
	char name[LABEL_DIGITS_MAX + 1];
	int fd;

	label_format(label, LABEL_DIGITS_MAX, name);
	fd = d->eventlog.dir_fd < 0 ? -EBADF
				    : ringfile_open(d->eventlog.dir_fd, name, HISTORY_SIZE);
	if (fd >= 0)
		return fd;
	if (d->eventlog.dir_fd >= 0)
		log_warning("%s/log/%.12s: kept in memory only: %s", d->options->run_dir, name,
			    strerror(-fd));
	fd = memfd_create("ring", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, HISTORY_SIZE) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -errno;
}

static int send_ring(struct role *role, const struct label *label)
{
	struct msg_log_ring msg = {.top = *label};
	int fd = open_ring(role->daemon, label), error;

	if (fd < 0)
		return fd;
	error = role_send(role, MSG_LOG_RING, &msg, &fd);
	close(fd);
	return error;
}

static int send_sink(struct role *role, uint32_t type, int fd)
{
	return fd < 0 ? 0 : role_send(role, type, &(struct msg_empty){0}, &fd);
}

int logfiles_set_up(struct role *role)
{
	const struct eventlog *log = &role->daemon->eventlog;
	int error = send_sink(role, MSG_LOG_FILE, log->file);

	if (error == 0)
		error = send_sink(role, MSG_LOG_SYSLOG, log->syslog);
	for (const struct log_top *top = log->tops; top && error == 0; top = top->next)
		error = send_ring(role, &top->label);
	return error < 0 ? error : send_ring(role, &host);
}

void logfiles_need(struct daemon *d, const struct log_entry *entry)
{
	struct label label;

	entry_ring(entry, &label);
	if (label_equal(&label, &host) || has_ring(d, &label) || !note_ring(d, &label))
		return;
	for (struct role *r = d->roles; r; r = r->next)
		if (r->kind == ROLE_LOG)
			send_ring(r, &label);
}

/* The file of --log-file, or -errno with PROBLEM. It is ours alone, whoever may write beside it. */
static int open_file(const struct options *options, const char **problem)
{
	int make = options->check ? 0 : O_CREAT;
	int fd = open(options->log_file,
		      O_WRONLY | O_APPEND | make | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		      0600);
	struct stat st;

	if (fd < 0) {
		*problem = strerror(errno);
		return -errno;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    st.st_nlink == 1)
		return fd;
	close(fd);
	*problem = "must be a regular file of the user vmmd runs as, with one name";
	return -EINVAL;
}

static int connect_syslog(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	log_warning("--syslog: /dev/log: %s; SIGHUP tries again", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static void replace(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

void logfiles_open(struct daemon *d)
{
	const struct options *options = d->options;
	const char *problem;

	if (options->log_file) {
		d->eventlog.file = open_file(options, &problem);
		if (d->eventlog.file < 0 && !(options->check && d->eventlog.file == -ENOENT))
			log_fatal("--log-file %s: %s", options->log_file, problem);
	}
	if (options->check)
		return;
	if (options->syslog)
		d->eventlog.syslog = connect_syslog();
	if (mkdirat(d->run_fd, "log", 0700) < 0 && errno != EEXIST)
		log_fatal("%s/log: %s", options->run_dir, strerror(errno));
	d->eventlog.dir_fd = openat(d->run_fd, "log",
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->eventlog.dir_fd < 0)
		log_fatal("%s/log: %s", options->run_dir, strerror(errno));
	find_rings(d);
}

static void tell_logs(struct daemon *d, uint32_t type, int fd)
{
	for (struct role *r = d->roles; r; r = r->next)
		if (r->kind == ROLE_LOG)
			send_sink(r, type, fd);
}

void logfiles_reopen(struct daemon *d)
{
	const char *problem = NULL;
	int fd = d->options->log_file ? open_file(d->options, &problem) : -1;

	if (fd >= 0) {
		replace(&d->eventlog.file, fd);
		tell_logs(d, MSG_LOG_FILE, fd);
	} else if (problem) {
		log_error("--log-file %s: %s", d->options->log_file, problem);
	}
	fd = d->options->syslog ? connect_syslog() : -1;
	if (fd >= 0) {
		replace(&d->eventlog.syslog, fd);
		tell_logs(d, MSG_LOG_SYSLOG, fd);
	}
}

static void remove_ring(const struct daemon *d, const struct label *label)
{
	char name[LABEL_DIGITS_MAX + 1];

	label_format(label, LABEL_DIGITS_MAX, name);
	unlinkat(d->eventlog.dir_fd, name, 0);
}

void logfiles_remove(struct daemon *d)
{
	if (d->eventlog.dir_fd < 0)
		return;
	for (const struct log_top *top = d->eventlog.tops; top; top = top->next)
		remove_ring(d, &top->label);
	remove_ring(d, &host);
	close(d->eventlog.dir_fd);
	unlinkat(d->run_fd, "log", AT_REMOVEDIR);
}
