/*
 * src/monitor/device_rules.c as the kernel gets it: the program that libseccomp makes of it, run
 * here over system calls just within and just beyond what each of several devices may be asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "block.h"
#include "device_rules.h"

#define PROGRAM_MAX  4096
#define SKIPPED	     77 /* as Meson has it */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HIGH	     (UINT64_C(1) << 32)

/* Two of each; a disk of one sector, one that is larger than 32 bits can say. */
static const struct devices devices = {
    .at =
	{
	    [1] = {.type = MFT_NET, .fd = 5, .mtu = 1500},
	    [2] = {.type = MFT_BLOCK, .fd = 6, .capacity = 512, .sector = 512},
	    [3] = {.type = MFT_NET, .fd = 7, .mtu = 9000},
	    [4] = {.type = MFT_BLOCK, .fd = 8, .capacity = 5 * HIGH, .sector = 4096},
	    [5] = {.type = MFT_BLOCK, .fd = 9, .capacity = BLOCK_CHUNK, .sector = 512},
	},
    .nnets = 2,
    .net = {3, 1},
    .nblocks = 3,
    .block = {2, 4, 5},
};
static struct sock_filter program[PROGRAM_MAX];

static void make_program(bool chunks)
{
	struct sandbox_rule rules[5 * DEVICE_RULES];
	size_t n = device_rules(&devices, chunks, rules);

	assert_true(n <= COUNT(rules));
	assert_true(sandbox_program(rules, n, program, sizeof(program)) > 0);
}

/* What classic BPF does, as far as libseccomp makes use of it. */
static uint32_t run(const struct seccomp_data *data)
{
	const struct sock_filter *at = program;
	uint32_t a = 0;

	for (;; at++) {
		bool jumps;

		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const uint8_t *)data + at->k, sizeof(a));
			continue;
		case BPF_RET | BPF_K:
			return at->k;
		case BPF_JMP | BPF_JA:
			at += at->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jumps = a == at->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			jumps = a > at->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jumps = a >= at->k;
			break;
		default:
			fail_msg("an instruction 0x%x", at->code);
			return 0;
		}
		at += jumps ? at->jt : at->jf;
	}
}

static const struct device *find(uint64_t fd)
{
	for (unsigned i = 1; i <= 5; i++)
		if ((uint64_t)devices.at[i].fd == fd)
			return &devices.at[i];
	return NULL;
}

/* What the header promises; in words of its own. */
static uint32_t wanted(bool chunks, int call, uint64_t fd, uint64_t len, uint64_t offset)
{
	const struct device *device = find(fd);
	bool disk = call == SCMP_SYS(pread64) || call == SCMP_SYS(pwrite64);

	if (device == NULL || disk != (device->type == MFT_BLOCK))
		return SECCOMP_RET_TRAP;
	if (call == SCMP_SYS(write) && len > device->mtu + (uint64_t)ETHERNET_HEADER)
		return SECCOMP_RET_ERRNO | EINVAL;
	if (!disk)
		return SECCOMP_RET_ALLOW;
	if (len == device->sector && offset < device->capacity && device->capacity - offset >= len)
		return SECCOMP_RET_ALLOW;
	if (chunks && len <= BLOCK_CHUNK && offset < device->capacity &&
	    device->capacity - offset >= BLOCK_CHUNK)
		return SECCOMP_RET_ALLOW;
	return SECCOMP_RET_TRAP;
}

static void check(bool chunks, int call, uint64_t fd, uint64_t len, uint64_t offset)
{
	const struct seccomp_data data = {
	    .nr = call, .arch = AUDIT_ARCH_X86_64, .args = {fd, 0x1234, len, offset}};
	uint32_t want = wanted(chunks, call, fd, len, offset), got = run(&data);

	if (got != want)
		fail_msg("call %d, descriptor 0x%llx, length 0x%llx, offset 0x%llx: 0x%x, not 0x%x",
			 call, (unsigned long long)fd, (unsigned long long)len,
			 (unsigned long long)offset, got, want);
}

/* VALUE and its neighbours, and those with other upper halves. */
static size_t around(uint64_t value, uint64_t out[6])
{
	const uint64_t values[6] = {value - 1,	      value,	   value + 1, value | HIGH,
				    value + 7 * HIGH, value - HIGH};

	memcpy(out, values, sizeof(values));
	return COUNT(values);
}

static void check_offsets(bool chunks, int call, uint64_t fd, uint64_t len)
{
	static const uint64_t edges[] = {0,
					 512,
					 BLOCK_CHUNK - 512,
					 BLOCK_CHUNK,
					 5 * HIGH,
					 5 * HIGH - BLOCK_CHUNK,
					 5 * HIGH - 4096,
					 UINT64_C(1) << 63};
	uint64_t offset[6];

	for (size_t i = 0; i < COUNT(edges); i++)
		for (size_t k = around(edges[i], offset); k > 0; k--)
			check(chunks, call, fd, len, offset[k - 1]);
}

static void check_lengths(bool chunks, int call, uint64_t fd)
{
	static const uint64_t edges[] = {0, 512, 4096, BLOCK_CHUNK, 1514, 9014};
	uint64_t len[6];

	for (size_t i = 0; i < COUNT(edges); i++)
		for (size_t k = around(edges[i], len); k > 0; k--)
			check_offsets(chunks, call, fd, len[k - 1]);
}

static void check_all(bool chunks)
{
	static const int call[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64),
				   SCMP_SYS(pwrite64)};

	make_program(chunks);
	for (size_t i = 0; i < COUNT(call); i++)
		for (uint64_t fd = 4; fd <= 10; fd++) {
			check_lengths(chunks, call[i], fd);
			check_lengths(chunks, call[i], fd | HIGH);
		}
}

static void test_by_the_sector(void **state)
{
	(void)state;
	check_all(false);
}

static void test_in_larger_pieces(void **state)
{
	(void)state;
	check_all(true);
}

static void test_no_other_call(void **state)
{
	static const int call[] = {SCMP_SYS(readv),   SCMP_SYS(writev),	  SCMP_SYS(preadv),
				   SCMP_SYS(pwritev), SCMP_SYS(preadv2),  SCMP_SYS(pwritev2),
				   SCMP_SYS(ioctl),   SCMP_SYS(close),	  SCMP_SYS(dup),
				   SCMP_SYS(sendto),  SCMP_SYS(ftruncate)};

	(void)state;
	make_program(true);
	for (size_t i = 0; i < COUNT(call); i++)
		for (uint64_t fd = 4; fd <= 10; fd++) {
			const struct seccomp_data data = {
			    .nr = call[i], .arch = AUDIT_ARCH_X86_64, .args = {fd, 0, 512}};

			assert_int_equal(run(&data), SECCOMP_RET_TRAP);
		}
}

/* The same number of the x32 and the 32-bit tables is another call. */
static void test_no_other_table(void **state)
{
	struct seccomp_data data = {.nr = SCMP_SYS(read), .arch = AUDIT_ARCH_X86_64, .args = {5}};

	(void)state;
	make_program(false);
	assert_int_equal(run(&data), SECCOMP_RET_ALLOW);
	data.nr |= 0x40000000;
	assert_int_not_equal(run(&data), SECCOMP_RET_ALLOW);
	data = (struct seccomp_data){.nr = SCMP_SYS(read), .arch = AUDIT_ARCH_I386, .args = {5}};
	assert_int_equal(run(&data), SECCOMP_RET_TRAP);
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
	puts("skipped: a sanitizer's runtime has calls of its own in every list");
	return SKIPPED;
#endif
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_by_the_sector),
	    cmocka_unit_test(test_in_larger_pieces),
	    cmocka_unit_test(test_no_other_call),
	    cmocka_unit_test(test_no_other_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
