/*
 * An x86-64 processor for an hvt guest (machine.h): 64-bit mode, all memory mapped one to one,
 * interrupts off. Intel SDM volume 3, chapters 3 (segments) and 4 (paging).
 *
 *   0x0000            not mapped in the guest, as is all below 0x10000
 *   0x1000            global descriptor table
 *   0x2000 0x3000     page map level 4, page directory pointers
 *   0x4000 .. 0x7fff  page directories: 4 GB in 2 MB pages
 *   0x8000 .. 0xffff  page tables: of the first 2 MB, and of what is part code, part data
 *   0x10000           boot information, read-only for the guest up to 0x100000
 */
#include "machine.h"

#include "hvt.h"
#include "report.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define GDT_BASE	0x1000
#define PML4_BASE	0x2000
#define PDPT_BASE	0x3000
#define PD_BASE		0x4000
#define PT_BASE		0x8000
#define TABLE_SIZE	0x1000

#define PAGE_PRESENT	0x01u
#define PAGE_WRITABLE	0x02u
#define PAGE_LARGE	0x80u
#define PAGE_NX		(UINT64_C(1) << 63)
#define TABLE		(PAGE_PRESENT | PAGE_WRITABLE)

#define CR0_PE		(1u << 0)
#define CR0_NE		(1u << 5)
#define CR0_WP		(1u << 16) /* read-only holds for the guest's ring 0 */
#define CR0_PG		(1u << 31)
#define CR4_PAE		(1u << 5)
#define CR4_OSFXSR	(1u << 9)
#define CR4_OSXMMEXCPT	(1u << 10)
#define EFER_LME	(1u << 8)
#define EFER_LMA	(1u << 10)
#define EFER_NXE	(1u << 11) /* PAGE_NX exists */
#define RFLAGS_FIXED	2u

#define CODE_SELECTOR	8
#define DATA_SELECTOR	16
#define CODE_DESCRIPTOR 0x00af99000000ffffu /* 64-bit, execute-only, accessed */
#define DATA_DESCRIPTOR 0x00cf93000000ffffu /* read and write, accessed */
#define TYPE_CODE	9
#define TYPE_DATA	3
#define TYPE_TSS_BUSY	11

#define CPUID_ENTRIES	256

static void write_gdt(const struct guest_memory *memory)
{
	const uint64_t gdt[] = {0, CODE_DESCRIPTOR, DATA_DESCRIPTOR};

	memcpy(memory->bytes + GDT_BASE, gdt, sizeof(gdt));
}

/* How many bytes of [FIRST, END) are code. */
static uint64_t code_within(const struct guest_memory *memory, uint64_t first, uint64_t end)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < memory->nsegments; i++) {
		const struct elf_segment *s = &memory->segment[i];
		uint64_t from = s->first > first ? s->first : first;
		uint64_t to = s->end < end ? s->end : end;

		if (s->exec && from < to)
			sum += to - from;
	}
	return sum;
}

static uint64_t page_entry(const struct guest_memory *memory, uint64_t page, uint64_t size, bool nx)
{
	uint64_t entry = page | PAGE_PRESENT;

	/* The guest may read what is below its image, not write it. */
	if (page >= ELF_BASE_MIN || size == MEMORY_PAGE)
		entry |= PAGE_WRITABLE;
	if (size == MEMORY_PAGE)
		entry |= PAGE_LARGE;
	return nx && code_within(memory, page, page + size) == 0 ? entry | PAGE_NX : entry;
}

/* The 2 MB from BASE on in small pages, of which the lowest ones of all are not there. */
static void write_table(const struct guest_memory *memory, uint64_t at, uint64_t base, bool nx)
{
	uint64_t *table = (uint64_t *)(void *)(memory->bytes + at);

	for (uint64_t page = base; page < base + MEMORY_PAGE; page += ELF_PAGE_SIZE)
		if (page >= MEMORY_BOOT_INFO)
			table[(page - base) / ELF_PAGE_SIZE] = page_entry(memory, page,
									  ELF_PAGE_SIZE, nx);
}

static bool needs_table(const struct guest_memory *memory, uint64_t page, bool nx)
{
	uint64_t code = code_within(memory, page, page + MEMORY_PAGE);

	return page == 0 || (nx && code > 0 && code < MEMORY_PAGE);
}

static void write_page_tables(const struct guest_memory *memory, bool nx)
{
	uint64_t next = PT_BASE;
	uint64_t *pml4 = (uint64_t *)(void *)(memory->bytes + PML4_BASE);
	uint64_t *pdpt = (uint64_t *)(void *)(memory->bytes + PDPT_BASE);
	uint64_t *pd = (uint64_t *)(void *)(memory->bytes + PD_BASE);

	pml4[0] = PDPT_BASE | TABLE;
	for (unsigned i = 0; i < 4; i++)
		pdpt[i] = (PD_BASE + i * TABLE_SIZE) | TABLE;
	for (uint64_t page = 0; page < memory->size; page += MEMORY_PAGE) {
		if (!needs_table(memory, page, nx)) {
			pd[page / MEMORY_PAGE] = page_entry(memory, page, MEMORY_PAGE, nx);
			continue;
		}
		if (next == MEMORY_BOOT_INFO)
			report_fatal("--nx: the image has code in too many places");
		pd[page / MEMORY_PAGE] = next | TABLE;
		write_table(memory, next, page, nx);
		next += TABLE_SIZE;
	}
}

/* The guest sees the host's processor as far as KVM can give it. */
static void set_cpuid(const struct machine *machine, int kvm)
{
	static union {
		struct kvm_cpuid2 head;
		uint8_t room[sizeof(struct kvm_cpuid2) +
			     CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
	} cpuid;

	cpuid.head.nent = CPUID_ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0)
		report_fatal("KVM_GET_SUPPORTED_CPUID: %s", strerror(errno));
	if (ioctl(machine->vcpu, KVM_SET_CPUID2, &cpuid) < 0)
		report_fatal("KVM_SET_CPUID2: %s", strerror(errno));
}

static void set_special_registers(const struct machine *machine, bool nx)
{
	const struct kvm_segment code = {
	    .limit = 0xffffffff,
	    .selector = CODE_SELECTOR,
	    .type = TYPE_CODE,
	    .present = 1,
	    .s = 1,
	    .l = 1,
	    .g = 1,
	};
	const struct kvm_segment data = {
	    .limit = 0xffffffff,
	    .selector = DATA_SELECTOR,
	    .type = TYPE_DATA,
	    .present = 1,
	    .db = 1,
	    .s = 1,
	    .g = 1,
	};
	struct kvm_sregs sregs = {
	    .cs = code,
	    .ds = data,
	    .es = data,
	    .fs = data,
	    .gs = data,
	    .ss = data,
	    .tr = {.type = TYPE_TSS_BUSY, .present = 1},
	    .ldt = {.unusable = 1},
	    .gdt = {.base = GDT_BASE, .limit = 3 * sizeof(uint64_t) - 1},
	    .cr0 = CR0_PE | CR0_NE | CR0_WP | CR0_PG,
	    .cr3 = PML4_BASE,
	    .cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT,
	    .efer = EFER_LME | EFER_LMA | (nx ? EFER_NXE : 0),
	};

	if (ioctl(machine->vcpu, KVM_SET_SREGS, &sregs) < 0)
		report_fatal("KVM_SET_SREGS: %s", strerror(errno));
}

/* As if called: the stack is 8 bytes off a multiple of 16, the argument is in rdi. */
static void set_registers(const struct machine *machine, uint64_t entry)
{
	struct kvm_regs regs = {
	    .rip = entry,
	    .rsp = machine->memory->size - 8,
	    .rdi = MEMORY_BOOT_INFO,
	    .rflags = RFLAGS_FIXED,
	};

	if (ioctl(machine->vcpu, KVM_SET_REGS, &regs) < 0)
		report_fatal("KVM_SET_REGS: %s", strerror(errno));
}

void cpu_init(struct machine *machine, int kvm, uint64_t entry, bool nx)
{
	write_gdt(machine->memory);
	write_page_tables(machine->memory, nx);
	set_cpuid(machine, kvm);
	set_special_registers(machine, nx);
	set_registers(machine, entry);
}

uint64_t cpu_cycle_freq(const struct machine *machine, int kvm)
{
	int khz;

	if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_GET_TSC_KHZ) <= 0)
		report_fatal("KVM cannot tell the frequency of the cycle counter");
	khz = ioctl(machine->vcpu, KVM_GET_TSC_KHZ, 0);
	if (khz <= 0)
		report_fatal("KVM_GET_TSC_KHZ: %s", khz == 0 || errno == EIO
							? "the host's cycle counter is unstable"
							: strerror(errno));
	return (uint64_t)khz * 1000;
}

bool cpu_hypercall(const struct machine *machine, uint32_t *number, uint64_t *address)
{
	const struct kvm_run *run = machine->run;
	uint32_t value;

	if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT ||
	    run->io.size != sizeof(value) || run->io.count != 1 || run->io.port < HVT_PORT ||
	    run->io.port >= HVT_PORT + HVT_CALLS)
		return false;
	memcpy(&value, (const uint8_t *)run + run->io.data_offset, sizeof(value));
	*number = run->io.port - HVT_PORT;
	*address = value;
	return true;
}

void cpu_describe(const struct machine *machine, char *out)
{
	struct kvm_regs regs = {0};
	struct kvm_sregs sregs = {0};

	if (ioctl(machine->vcpu, KVM_GET_REGS, &regs) < 0 ||
	    ioctl(machine->vcpu, KVM_GET_SREGS, &sregs) < 0) {
		snprintf(out, CPU_REGISTERS_SIZE, "registers unknown");
		return;
	}
	snprintf(out, CPU_REGISTERS_SIZE, "rip=0x%llx rsp=0x%llx rflags=0x%llx cr2=0x%llx",
		 (unsigned long long)regs.rip, (unsigned long long)regs.rsp,
		 (unsigned long long)regs.rflags, (unsigned long long)sregs.cr2);
}
