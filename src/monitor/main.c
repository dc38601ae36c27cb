/*
 * vmm_monitor: loads one Solo5 unikernel and runs it until it ends. Under vmmd it opens nothing:
 * the image, /dev/kvm and the console come as descriptors, and it runs as nobody in an empty root.
 * doc/monitor.md is the manual.
 */
#include "boot.h"
#include "confine.h"
#include "image.h"
#include "machine.h"
#include "options.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * SIGTERM ends the monitor at once, whatever it inherited. A closed console does not: with a
 * machine in the kernel a process does not die well of a signal of its own, so the write fails
 * instead.
 */
static void set_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int open_kvm(int fd)
{
	if (fd < 0)
		fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		report_fatal("cannot open /dev/kvm: %s", strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	static struct image_file image;
	static struct guest_memory memory;
	struct options options;
	struct machine machine;
	int kvm;

	(void)argc;
	set_signals();
	options_parse(argv, &options);
	image_open(&image, &options);
	kvm = open_kvm(options.kvm_fd);
	memory_create(&memory, options.memory);
	memory_load(&memory, &image.elf, image.bytes);
	machine_create(&machine, kvm, &memory);
	cpu_init(&machine, kvm, image.elf.entry);
	boot_info_write(&memory, &image.elf, cpu_cycle_freq(&machine, kvm), options.args);
	image_close(&image);
	close(kvm);
	confine(options.status_fd);
	report_ready();
	_exit(machine_run(&machine));
}
