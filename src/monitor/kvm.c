/* The machine on KVM, whatever the processor (machine.h), and its run loop. */
#include "machine.h"

#include "hypercall.h"
#include "report.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define KVM_API 12

static int kvm_call(int fd, unsigned long request, void *arg, const char *name)
{
	int result = ioctl(fd, request, arg);

	if (result < 0)
		report_fatal("%s: %s", name, strerror(errno));
	return result;
}

static void add_memory(int vm, const struct guest_memory *memory)
{
	struct kvm_userspace_memory_region region = {
	    .memory_size = memory->size,
	    .userspace_addr = (uint64_t)(uintptr_t)memory->bytes,
	};

	kvm_call(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

static void map_run(struct machine *machine, int kvm)
{
	int size = kvm_call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");

	if ((size_t)size < sizeof(*machine->run))
		report_fatal("KVM_GET_VCPU_MMAP_SIZE: %d bytes are too few", size);
	machine->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu,
			    0);
	if (machine->run == MAP_FAILED)
		report_fatal("cannot map the virtual CPU: %s", strerror(errno));
}

void machine_create(struct machine *machine, int kvm, const struct guest_memory *memory,
		    struct devices *devices)
{
	int version = ioctl(kvm, KVM_GET_API_VERSION, NULL);
	int vm;

	if (version < 0)
		report_fatal("/dev/kvm does not answer as KVM: %s", strerror(errno));
	if (version != KVM_API)
		report_fatal("KVM API version is %d, must be %d", version, KVM_API);
	vm = kvm_call(kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
	machine->memory = memory;
	machine->devices = devices;
	add_memory(vm, memory);
	machine->vcpu = kvm_call(vm, KVM_CREATE_VCPU, NULL, "KVM_CREATE_VCPU");
	map_run(machine, kvm);
	/* The CPU keeps the machine alive; what could change it is gone. */
	close(vm);
}

static void describe_io(const struct kvm_run *run, char *out, size_t size)
{
	snprintf(out, size, "%s %u bytes at port 0x%x, which is no hypercall",
		 run->io.direction == KVM_EXIT_IO_OUT ? "wrote" : "read", run->io.size,
		 run->io.port);
}

static void describe_mmio(const struct kvm_run *run, char *out, size_t size)
{
	snprintf(out, size, "%s %u bytes at 0x%llx, where it may not",
		 run->mmio.is_write ? "wrote" : "read", run->mmio.len,
		 (unsigned long long)run->mmio.phys_addr);
}

static void describe_exit(const struct kvm_run *run, char *out, size_t size)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		describe_io(run, out, size);
		break;
	case KVM_EXIT_MMIO:
		describe_mmio(run, out, size);
		break;
	case KVM_EXIT_SHUTDOWN:
		snprintf(out, size, "triple fault");
		break;
	case KVM_EXIT_HLT:
		snprintf(out, size, "stopped its CPU with nothing to wake it");
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(out, size, "KVM internal error, suberror 0x%x", run->internal.suberror);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(out, size, "KVM entry failure, hardware reason 0x%llx",
			 (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		snprintf(out, size, "unexpected KVM exit, reason 0x%x", run->exit_reason);
	}
}

static _Noreturn void guest_fault(const struct machine *machine, const char *what)
{
	char registers[CPU_REGISTERS_SIZE];

	cpu_describe(machine, registers);
	report_fatal("guest fault: %s: %s", what, registers);
}

static _Noreturn void run_failed(const struct machine *machine, int error)
{
	/* The guest reached memory that its segments do not let it reach. */
	if (error == EFAULT)
		guest_fault(machine, "host/guest translation fault");
	report_fatal("KVM_RUN: %s", strerrordesc_np(error));
}

static _Noreturn void exit_unexpected(const struct machine *machine)
{
	char what[HYPERCALL_WHY_SIZE];

	describe_exit(machine->run, what, sizeof(what));
	guest_fault(machine, what);
}

int machine_run(struct machine *machine)
{
	struct hypercall_end end;
	uint32_t number;
	uint64_t address;
	int left;

	for (;;) {
		left = ioctl(machine->vcpu, KVM_RUN, NULL);
		machine->devices->tally->kvm_exits++;
		if (left < 0) {
			if (errno == EINTR)
				continue;
			run_failed(machine, errno);
		}
		if (!cpu_hypercall(machine, &number, &address))
			exit_unexpected(machine);
		switch (hypercall(machine->memory, machine->devices, number, address, &end)) {
		case GUEST_RUNS:
			break;
		case GUEST_HALTED:
			return end.status;
		case GUEST_FAULTED:
			guest_fault(machine, end.why);
		}
	}
}
