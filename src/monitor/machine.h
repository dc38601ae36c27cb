/*
 * A virtual machine of one CPU on KVM. kvm.c makes and runs it, hvt_x86_64.c knows the processor.
 * Every function exits with one line when KVM refuses.
 */
#ifndef VMM_MONITOR_MACHINE_H
#define VMM_MONITOR_MACHINE_H

#include "attach.h"
#include "memory.h"

#define CPU_REGISTERS_SIZE 128

struct kvm_run;

struct machine {
	const struct guest_memory *memory;
	struct devices *devices;
	int vcpu;	     /* its last reference to the kernel's machine */
	struct kvm_run *run; /* shared with the kernel */
};

/* With its memory, its devices and its CPU, on /dev/kvm open as KVM. */
void machine_create(struct machine *machine, int kvm, const struct guest_memory *memory,
		    struct devices *devices);
/* Runs the guest until it halts; its exit status. A guest that faults ends the monitor. */
int machine_run(struct machine *machine);

/*
 * The processor: descriptor and page tables into low memory, registers so that it starts at ENTRY
 * with the address of its boot information as the argument. With NX what is no code is not
 * executable, until the guest makes page tables of its own.
 */
void cpu_init(struct machine *machine, int kvm, uint64_t entry, bool nx);
/* The frequency of the guest's cycle counter in Hz. */
uint64_t cpu_cycle_freq(const struct machine *machine, int kvm);
/* Whether the guest left for a hypercall; which, and with what address. */
bool cpu_hypercall(const struct machine *machine, uint32_t *number, uint64_t *address);
/* "rip=0x100020 ...": where the guest is, into OUT (CPU_REGISTERS_SIZE bytes). */
void cpu_describe(const struct machine *machine, char *out);

#endif
