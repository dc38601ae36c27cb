/*
 * vmm_monitor: loads one Solo5 unikernel and runs it until it ends, in a virtual machine (hvt) or
 * as this process itself (spt), as the image says. Under vmmd it opens nothing: the image, /dev/kvm
 * and the console come as descriptors, and it runs as nobody in an empty root. doc/monitor.md is
 * the manual.
 */
#include "ask.h"
#include "attach.h"
#include "boot.h"
#include "confine.h"
#include "image.h"
#include "machine.h"
#include "options.h"
#include "report.h"
#include "spt_guest.h"
#include "tally.h"

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

/* By hand it opens it; who has a status channel is given it, or there is none. */
static int open_kvm(const struct options *options)
{
	int fd = options->kvm_fd;

	if (fd < 0 && options->status_fd < 0)
		fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		report_fatal("hvt images cannot run here: /dev/kvm: %s; an spt build of the same "
			     "unikernel would run",
			     options->status_fd < 0 ? strerror(errno)
						    : "not there, or not for vmmd");
	return fd;
}

/*
 * Everything was given up: this reads one descriptor, which nobody has after that. Another guest
 * runs on the same console until then, so that nothing is said here.
 */
static void wait_for_go(int fd)
{
	char byte;

	if (fd < 0)
		return;
	if (read(fd, &byte, 1) != 1)
		_exit(1);
	close(fd);
}

static _Noreturn void run_hvt(struct image_file *image, struct devices *devices,
			      const struct options *options)
{
	static struct guest_memory memory;
	struct machine machine;
	int kvm;

	if (options->exec_heap)
		report_fatal("'--x-exec-heap': is for spt images, this one is hvt");
	kvm = open_kvm(options);
	memory_create(&memory, elf_memory(&image->elf, options->memory));
	memory_load(&memory, &image->elf, image->bytes);
	machine_create(&machine, kvm, &memory, devices);
	cpu_init(&machine, kvm, image->elf.entry, options->nx);
	boot_info_write_hvt(&memory, &image->elf, devices, cpu_cycle_freq(&machine, kvm),
			    options->args);
	image_close(image);
	close(kvm);
	devices->tally->monitor = 1;
	confine(devices, options->status_fd, options->go_fd);
	report_ready();
	wait_for_go(options->go_fd);
	if (memory.size != options->memory)
		report_warning("--mem: %llu MB rounded down to whole 2 MB pages",
			       (unsigned long long)(options->memory >> 20));
	_exit(machine_run(&machine));
}

static _Noreturn void run_spt(struct image_file *image, const struct devices *devices,
			      const struct options *options)
{
	static struct guest_memory memory;
	struct spt_waiting waiting;

	if (options->exec_heap)
		report_warning("--x-exec-heap: heap and stack of the guest are executable, "
			       "which is dangerous");
	if (options->kvm_fd >= 0)
		close(options->kvm_fd);
	tally_close(devices->tally);
	spt_prepare();
	memory_create_in_place(&memory, elf_memory(&image->elf, options->memory),
			       options->exec_heap);
	memory_load(&memory, &image->elf, image->bytes);
	spt_waiting_open(&waiting, devices);
	boot_info_write_spt(&memory, &image->elf, devices, waiting.epollfd, waiting.timerfd,
			    options->args);
	image_close(image);
	spt_run(&memory, devices, image->elf.entry, &waiting, options->go_fd);
}

int main(int argc, char **argv)
{
	static struct image_file image;
	static struct devices devices;
	static struct options options;

	(void)argc;
	set_signals();
	options_parse(argv, &options);
	devices.tally = tally_open(options.stats_fd);
	image_open(&image, &options);
	devices_attach(&devices, &image.elf, &options);
	ask_about_devices(&devices, &options);
	devices_make_macs(&devices);
	if (image.elf.target == TARGET_SPT)
		run_spt(&image, &devices, &options);
	run_hvt(&image, &devices, &options);
}
