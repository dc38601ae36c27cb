/* vmm_stats's code before the kernel's own files and interfaces. */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ether.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stats_world.h"

#define FRAME	  200 /* bytes */
#define MANY_TAPS 100 /* more than one datagram of the kernel's tells of */

static int open_of(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* GUEST's process is PID. */
static void guest_is(struct guest *guest, pid_t pid)
{
	static const char *const names[] = {"stat", "status", "io"};

	for (int i = 0; i < 3; i++) {
		close(guest->file[i]);
		guest->file[i] = open_of(pid, names[i]);
	}
}

/* Works, reads and writes, until it is killed, or its test has failed. */
static pid_t start_worker(void)
{
	pid_t pid = fork();
	static char bytes[65536];
	int zero, null;

	assert_int_not_equal(pid, -1);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	for (;;)
		if (read(zero, bytes, sizeof(bytes)) < 0 || write(null, bytes, 512) < 0)
			_exit(1);
}

static void a_process_is_followed_to_its_end(void **state)
{
	const struct statpage page = {.console = 1};
	struct guest guest = guest_new("alice/vm");
	struct reading now, before, after;
	pid_t pid = start_worker();

	(void)state;
	send_interval(NEVER);
	guest_is(&guest, pid);
	guest_counted(&guest, &page);
	guest_add(&guest);
	do {
		next_round();
		read_now("alice/vm", &now, &before);
		assert_int_equal(now.parts,
				 READ_PROCESS | READ_BLOCK | READ_CONSOLE | READ_NETWORK);
		assert_true(now.system_us >= before.system_us);
		assert_true(now.block_read >= before.block_read);
	} while (now.user_us + now.system_us < 100000 || now.block_written < 100 * 512);
	assert_true(now.block_read > now.block_written);
	assert_in_range(now.resident, 4096, 100 << 20);
	assert_in_range(now.peak, now.resident, 100 << 20);
	assert_true(now.minor_faults > 0);
	/* A zombie, and then nothing, has used what it last had. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	next_round();
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	next_round();
	read_now("alice/vm", &after, NULL);
	assert_int_equal(after.parts, now.parts);
	assert_int_equal(after.resident, now.resident);
	assert_true(after.user_us >= now.user_us);
	assert_true(after.block_read >= now.block_read);
	guest_free(&guest);
}

static void the_host_is_read_when_it_is_asked_for(void **state)
{
	const struct family_reading family = {
	    .nroles = 1, .role = {{.name = "vmm_gate", .up = 1}}, .logins = 7, .vms = 3};
	int host[2] = {open("/proc/stat", O_RDONLY | O_CLOEXEC),
		       open("/proc/meminfo", O_RDONLY | O_CLOEXEC)};
	struct channel reader;

	(void)state;
	assert_int_equal(channel_send(&vmmd, MSG_STATS_HOST, &(struct msg_empty){0}, host), 0);
	send_interval(NEVER);
	reader = family_reader(&family);
	settle();
	assert_int_equal(channel_recv(&reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_FAMILY);
	assert_string_equal(in.body.family.role[0].name, "vmm_gate");
	assert_int_equal(in.body.family.logins, 7);
	assert_int_equal(in.body.family.vms, 3);
	assert_int_equal(in.body.family.host_known, 1);
	assert_int_equal(in.body.family.host_cpus, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(in.body.family.host_user_us + in.body.family.host_idle_us > 0);
	assert_int_equal(in.body.family.host_memory / 4096, sysconf(_SC_PHYS_PAGES));
	assert_in_range(in.body.family.host_available, 1, in.body.family.host_memory);
	expect_end(&reader);
	close(host[0]);
	close(host[1]);
}

static void a_host_may_not_be_known(void **state)
{
	const struct family_reading family = {.host_known = 1, .host_cpus = 99, .sessions = 2};
	struct guest guest = guest_new("alice/vm");
	struct channel reader;

	(void)state;
	send_interval(NEVER);
	guest_add(&guest);
	reader = family_reader(&family);
	settle();
	expect_sample(&reader, "alice/vm");
	assert_int_equal(channel_recv(&reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_FAMILY);
	assert_int_equal(in.body.family.host_known, 0);
	assert_int_equal(in.body.family.sessions, 2);
	expect_end(&reader);
	guest_free(&guest);
}

/* The descriptor holds it; what is written to that is what a guest sends. */
static int tap_new(const char *name)
{
	struct ifreq wanted = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), any;

	assert_int_not_equal(tap, -1);
	snprintf(wanted.ifr_name, sizeof(wanted.ifr_name), "%s", name);
	assert_int_equal(ioctl(tap, TUNSETIFF, &wanted), 0);
	any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	wanted.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(any, SIOCSIFFLAGS, &wanted), 0);
	close(any);
	return tap;
}

static void guest_sends(int tap)
{
	const uint8_t frame[FRAME] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};

	assert_int_equal(write(tap, frame, sizeof(frame)), sizeof(frame));
}

/* A frame from the host, which the guest has read. */
static void guest_receives(int tap, const char *name)
{
	const uint8_t frame[FRAME] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb6};
	int wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = 6};
	struct ifreq which = {0};
	char got[2048];
	ssize_t n;

	assert_int_not_equal(wire, -1);
	snprintf(which.ifr_name, sizeof(which.ifr_name), "%s", name);
	assert_int_equal(ioctl(wire, SIOCGIFINDEX, &which), 0);
	to.sll_ifindex = which.ifr_ifindex;
	assert_int_equal(sendto(wire, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(frame));
	/* What the host says by itself may come before. */
	do
		n = read(tap, got, sizeof(got));
	while (n != FRAME || memcmp(got, frame, FRAME) != 0);
	close(wire);
}

/* In a network of the test's own; false: such are root's. */
static bool own_network(void)
{
	return geteuid() == 0 && access("/dev/net/tun", R_OK) == 0 && unshare(CLONE_NEWNET) == 0;
}

static void give_links(void)
{
	int links = links_open();

	assert_true(links >= 0);
	assert_int_equal(channel_send(&vmmd, MSG_STATS_LINKS, &(struct msg_empty){0}, &links), 0);
	close(links);
	send_interval(NEVER);
}

/* GUEST, with vmm1-0. */
static int guest_with_tap(struct guest *guest)
{
	*guest = guest_new("alice/vm");
	guest->is.ntaps = 1;
	strcpy(guest->is.tap[0].name, "vmm1-0");
	return tap_new("vmm1-0");
}

static void expect_sent(const struct tap_reading *tap, unsigned frames)
{
	assert_int_equal(tap->sent_packets, frames);
	assert_int_equal(tap->sent_bytes, frames * FRAME);
}

static void frames_are_counted_as_the_guest_sees_them(void **state)
{
	struct reading now, before, last;
	struct guest guest;
	int tap;

	(void)state;
	if (!own_network())
		skip();
	tap = guest_with_tap(&guest);
	guest_sends(tap);
	give_links();
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, READ_NETWORK);
	expect_sent(&now.tap[0], 1);
	guest_sends(tap);
	guest_sends(tap);
	guest_receives(tap, "vmm1-0");
	next_round();
	read_now("alice/vm", &now, &before);
	expect_sent(&before.tap[0], 1);
	expect_sent(&now.tap[0], 3);
	assert_true(now.tap[0].received_packets >= 1);
	assert_true(now.tap[0].received_bytes >= FRAME);
	/* Gone: what it last had. Again, from nothing: not less than that. */
	close(tap);
	next_round();
	read_now("alice/vm", &last, NULL);
	assert_memory_equal(&last.tap[0], &now.tap[0], sizeof(now.tap[0]));
	tap = tap_new("vmm1-0");
	guest_sends(tap);
	next_round();
	read_now("alice/vm", &last, NULL);
	assert_memory_equal(&last.tap[0], &now.tap[0], sizeof(now.tap[0]));
	close(tap);
	guest_free(&guest);
}

/* Bytes of frames and lines are no volume's. */
static void an_spt_guest_with_everything(void **state)
{
	const struct statpage page = {.console = 1, .console_bytes = 33};
	struct guest guest;
	struct reading now;
	int tap;

	(void)state;
	if (!own_network())
		skip();
	tap = guest_with_tap(&guest);
	for (int i = 0; i < 10; i++)
		guest_sends(tap);
	guest_moved(&guest, 4096, 10 * FRAME + 33 + 1024);
	guest_counted(&guest, &page);
	give_links();
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, READ_BLOCK | READ_CONSOLE | READ_NETWORK);
	assert_int_equal(now.block_written, 1024);
	close(tap);
	guest_free(&guest);
}

static void many_taps_are_read_at_once(void **state)
{
	char name[IFNAMSIZ], path[32];
	int tap[MANY_TAPS];
	struct reading now;

	(void)state;
	if (!own_network())
		skip();
	give_links();
	for (int i = 0; i < MANY_TAPS; i++) {
		struct guest guest;

		snprintf(name, sizeof(name), "vmm%d-0", i);
		snprintf(path, sizeof(path), "alice/vm%d", i);
		tap[i] = tap_new(name);
		guest = guest_new(path);
		guest.is.ntaps = 1;
		memcpy(guest.is.tap[0].name, name, sizeof(name));
		guest_add(&guest);
		settle();
		guest_free(&guest);
		for (int k = 0; k < i; k++)
			guest_sends(tap[i]);
	}
	next_round();
	for (int i = 0; i < MANY_TAPS; i++) {
		snprintf(path, sizeof(path), "alice/vm%d", i);
		read_now(path, &now, NULL);
		expect_sent(&now.tap[0], (unsigned)i);
		close(tap[i]);
	}
}

struct seen {
	unsigned links;
	char name[IFNAMSIZ];
};

static void see(void *arg, const char *name, const struct link_counts *counts)
{
	struct seen *seen = arg;

	(void)counts;
	seen->links++;
	snprintf(seen->name, sizeof(seen->name), "%s", name);
}

/* An answer that nobody waited for, in the middle of it, is not the next one. */
static void a_socket_is_used_on_after_an_error(void **state)
{
	struct seen seen = {0};
	int tap, links;

	(void)state;
	if (!own_network())
		skip();
	tap = tap_new("vmm1-0");
	links = links_open();
	assert_int_equal(links_read(links, "nosuch0", see, &seen), -ENODEV);
	assert_int_equal(seen.links, 0);
	assert_int_equal(links_read(links, NULL, see, &seen), 0);
	assert_int_equal(seen.links, 1); /* not the one that is no tap */
	assert_string_equal(seen.name, "vmm1-0");
	/* Asked, and not read. */
	assert_int_equal(send(links, &(struct {
				      uint32_t size;
				      uint16_t type, flags;
				      uint32_t number, port;
				      char rest[16];
			      }){32, 18 /* RTM_GETLINK */, 0x301 /* a dump */, 1, 0, {0}},
			      32, 0),
			 32);
	assert_int_equal(links_read(links, "vmm1-0", see, &seen), 0);
	assert_int_equal(seen.links, 2);
	close(tap);
	assert_int_equal(links_read(links, NULL, see, &seen), 0);
	assert_int_equal(seen.links, 2);
	close(links);
	assert_true(links_read(links, NULL, see, &seen) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(a_process_is_followed_to_its_end),
	    WORLD_TEST(the_host_is_read_when_it_is_asked_for),
	    WORLD_TEST(a_host_may_not_be_known),
	    WORLD_TEST(frames_are_counted_as_the_guest_sees_them),
	    WORLD_TEST(an_spt_guest_with_everything),
	    WORLD_TEST(many_taps_are_read_at_once),
	    WORLD_TEST(a_socket_is_used_on_after_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
