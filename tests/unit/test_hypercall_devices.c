/*
 * The calls of src/monitor/hypercall.c on devices: handles, bounds, what the host's errors become,
 * which are ready; and that no byte of memory that is not the guest's comes or goes.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "block.h"
#include "hvt.h"
#include "hypercall_world.h"

/* Places in the manifest. What a test is the other end of is in WIRE. */
enum { NET = 2, DISK = 3, OTHER_NET = 63, FULL_DISK = 62, BROKEN_NET = 1 };
#define SECTOR	 512u
#define CAPACITY (BLOCK_CHUNK + 3 * SECTOR)
#define MTU	 1500u
#define FRAME	 (MTU + ETHERNET_HEADER)
#define NOBODYS	 1000 /* a descriptor that is not open */

static struct statpage counted;
static struct devices devices = {
    .tally = &counted,
    .at =
	{
	    [NET] = {.type = MFT_NET, .mtu = MTU},
	    [OTHER_NET] = {.type = MFT_NET, .mtu = MTU},
	    [BROKEN_NET] = {.type = MFT_NET, .mtu = MTU},
	    [DISK] = {.type = MFT_BLOCK, .capacity = CAPACITY, .sector = SECTOR},
	    [FULL_DISK] = {.type = MFT_BLOCK, .capacity = CAPACITY, .sector = SECTOR},
	},
    .nnets = 2,
    .net = {OTHER_NET, NET},
    .nblocks = 2,
    .block = {DISK, FULL_DISK},
};
static int wire[2];

static int open_net(struct device *net)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) < 0)
		return -1;
	net->fd = ends[0];
	return ends[1];
}

static int open_devices(void)
{
	wire[0] = open_net(&devices.at[NET]);
	wire[1] = open_net(&devices.at[OTHER_NET]);
	devices.at[BROKEN_NET].fd = NOBODYS;
	devices.at[DISK].fd = memfd_create("disk", 0);
	devices.at[FULL_DISK].fd = open("/dev/full", O_RDWR);
	return wire[0] < 0 || wire[1] < 0 || devices.at[FULL_DISK].fd < 0 ||
	       ftruncate(devices.at[DISK].fd, CAPACITY) < 0;
}

static int setup(void **state)
{
	return world_setup(state) | open_devices();
}

/* Call NUMBER is answered in its structure of SIZE bytes, as the guest finds it. */
static void answered(struct guest_memory *memory, uint32_t number, void *call, size_t size)
{
	struct hypercall_end end;

	memcpy(memory->bytes + DATA, call, size);
	assert_int_equal(hypercall(memory, &devices, number, DATA, &end), GUEST_RUNS);
	memcpy(call, memory->bytes + DATA, size);
}

static int32_t net_call(struct guest_memory *memory, uint32_t number, struct hvt_net *call)
{
	call->ret = -1;
	answered(memory, number, call, sizeof(*call));
	return call->ret;
}

static int32_t block_call(struct guest_memory *memory, uint32_t number, struct hvt_block *call)
{
	call->ret = -1;
	answered(memory, number, call, sizeof(*call));
	return call->ret;
}

static void test_net_write(void **state)
{
	struct guest_memory *memory = *state;
	struct hvt_net call = {.handle = NET, .data = RODATA, .len = 60};
	uint8_t got[2 * FRAME];

	assert_int_equal(net_call(memory, HVT_NET_WRITE, &call), HVT_OK);
	assert_int_equal(read(wire[0], got, sizeof(got)), 60);
	call.len = FRAME;
	memset(memory->bytes + SIZE - FRAME, 0xa5, FRAME);
	call.data = SIZE - FRAME;
	assert_int_equal(net_call(memory, HVT_NET_WRITE, &call), HVT_OK);
	assert_int_equal(read(wire[0], got, sizeof(got)), FRAME);
	assert_memory_equal(got, memory->bytes + SIZE - FRAME, FRAME);
	call.data--;
	call.len++;
	assert_int_equal(net_call(memory, HVT_NET_WRITE, &call), HVT_INVALID);
	call.len = UINT64_MAX;
	assert_int_equal(net_call(memory, HVT_NET_WRITE, &call), HVT_INVALID);
	assert_int_equal(read(wire[0], got, sizeof(got)), -1);
	call = (struct hvt_net){.handle = BROKEN_NET, .data = RODATA, .len = 60};
	assert_int_equal(net_call(memory, HVT_NET_WRITE, &call), HVT_UNSPECIFIED);
}

static void test_net_read(void **state)
{
	struct guest_memory *memory = *state;
	struct hvt_net call = {.handle = NET, .data = SIZE - 64, .len = 64};

	assert_int_equal(net_call(memory, HVT_NET_READ, &call), HVT_AGAIN);
	assert_int_equal(call.len, 64);
	assert_int_equal(write(wire[0], "a frame", 7), 7);
	assert_int_equal(net_call(memory, HVT_NET_READ, &call), HVT_OK);
	assert_int_equal(call.len, 7);
	assert_memory_equal(memory->bytes + SIZE - 64, "a frame", 7);
	call.handle = BROKEN_NET;
	assert_int_equal(net_call(memory, HVT_NET_READ, &call), HVT_UNSPECIFIED);
}

/* Neither a device of the other kind nor what is none. */
static void test_handles(void **state)
{
	static const uint64_t nets[] = {0, DISK, 4, 64, UINT64_MAX, UINT64_C(1) << 32 | NET};
	static const uint64_t disks[] = {0, NET, 4, 64, UINT64_MAX, UINT64_C(1) << 32 | DISK};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		struct hvt_net net = {.handle = nets[i], .data = DATA, .len = 60};

		assert_int_equal(net_call(*state, HVT_NET_WRITE, &net), HVT_INVALID);
		assert_int_equal(net_call(*state, HVT_NET_READ, &net), HVT_INVALID);
	}
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		struct hvt_block disk = {.handle = disks[i], .data = SIZE - SECTOR, .len = SECTOR};

		assert_int_equal(block_call(*state, HVT_BLOCK_WRITE, &disk), HVT_INVALID);
		assert_int_equal(block_call(*state, HVT_BLOCK_READ, &disk), HVT_INVALID);
	}
}

static void test_block_bounds(void **state)
{
	static const struct {
		uint64_t offset, len;
		int32_t result;
	} cases[] = {
	    {0, SECTOR, HVT_OK},
	    {CAPACITY - SECTOR, SECTOR, HVT_OK},
	    {0, CAPACITY, HVT_OK},
	    {0, 0, HVT_OK},
	    {SECTOR, CAPACITY, HVT_INVALID},
	    {CAPACITY - SECTOR, 2 * SECTOR, HVT_INVALID},
	    {CAPACITY, SECTOR, HVT_INVALID},
	    {CAPACITY, 0, HVT_INVALID},
	    {1, SECTOR, HVT_INVALID},
	    {SECTOR - 1, SECTOR, HVT_INVALID},
	    {0, SECTOR - 1, HVT_INVALID},
	    {0, SECTOR + 1, HVT_INVALID},
	    {UINT64_MAX - SECTOR + 1, SECTOR, HVT_INVALID},
	    {SECTOR, UINT64_MAX - SECTOR + 1, HVT_INVALID},
	    {UINT64_C(1) << 63, SECTOR, HVT_INVALID},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hvt_block call = {.handle = DISK,
					 .offset = cases[i].offset,
					 .data = SIZE - CAPACITY,
					 .len = cases[i].len};

		assert_int_equal(block_call(*state, HVT_BLOCK_READ, &call), cases[i].result);
		assert_int_equal(block_call(*state, HVT_BLOCK_WRITE, &call), cases[i].result);
	}
	assert_int_equal(lseek(devices.at[DISK].fd, 0, SEEK_END), CAPACITY);
}

/* A pattern in one call, whose pieces come in all sizes, and back in sectors. */
static void test_block_data(void **state)
{
	struct guest_memory *memory = *state;
	uint8_t *data = memory->bytes + SIZE - CAPACITY;
	struct hvt_block call = {.handle = DISK, .data = SIZE - CAPACITY, .len = CAPACITY};

	for (unsigned i = 0; i < CAPACITY; i++)
		data[i] = (uint8_t)(i % 251);
	assert_int_equal(block_call(memory, HVT_BLOCK_WRITE, &call), HVT_OK);
	for (unsigned at = 0; at < CAPACITY; at += SECTOR) {
		memset(data, 0, SECTOR);
		call.offset = at;
		call.len = SECTOR;
		assert_int_equal(block_call(memory, HVT_BLOCK_READ, &call), HVT_OK);
		for (unsigned i = 0; i < SECTOR; i++)
			assert_int_equal(data[i], (at + i) % 251);
	}
	call.offset = 0;
	call.len = CAPACITY;
	assert_int_equal(block_call(memory, HVT_BLOCK_READ, &call), HVT_OK);
	for (unsigned i = 0; i < CAPACITY; i++)
		assert_int_equal(data[i], i % 251);
}

/* Bytes that went through, whole calls; nothing of what was refused or failed. */
static void test_block_counts(void **state)
{
	struct hvt_block call = {.handle = DISK, .data = SIZE - CAPACITY, .len = CAPACITY};
	const struct statpage before = counted;

	assert_int_equal(block_call(*state, HVT_BLOCK_WRITE, &call), HVT_OK);
	call.len = 2 * SECTOR;
	assert_int_equal(block_call(*state, HVT_BLOCK_READ, &call), HVT_OK);
	call.offset = CAPACITY;
	assert_int_equal(block_call(*state, HVT_BLOCK_READ, &call), HVT_INVALID);
	call = (struct hvt_block){.handle = FULL_DISK, .data = SIZE - SECTOR, .len = SECTOR};
	assert_int_equal(block_call(*state, HVT_BLOCK_WRITE, &call), HVT_UNSPECIFIED);
	assert_int_equal(counted.block_written - before.block_written, CAPACITY);
	assert_int_equal(counted.block_read - before.block_read, 2 * SECTOR);
}

/* A full disk, and one that has lost its end. */
static void test_block_errors(void **state)
{
	struct hvt_block call = {.handle = FULL_DISK, .data = SIZE - SECTOR, .len = SECTOR};
	int fd = devices.at[DISK].fd;

	assert_int_equal(block_call(*state, HVT_BLOCK_WRITE, &call), HVT_UNSPECIFIED);
	call.handle = DISK;
	call.offset = SECTOR;
	assert_int_equal(ftruncate(fd, SECTOR), 0);
	assert_int_equal(block_call(*state, HVT_BLOCK_READ, &call), HVT_UNSPECIFIED);
	assert_int_equal(ftruncate(fd, CAPACITY), 0);
	assert_int_equal(block_call(*state, HVT_BLOCK_READ, &call), HVT_OK);
}

/* No byte leaves or enters memory that is not the guest's. */
static void test_device_memory(void **state)
{
	static const struct {
		uint32_t number;
		struct hvt_net call;
		const char *why;
	} nets[] = {
	    {HVT_NET_WRITE,
	     {NET, HIDDEN, 60, 0},
	     "hypercall net write: 60 bytes at 0x102000 are not its to read"},
	    {HVT_NET_WRITE,
	     {NET, SIZE - 59, 60, 0},
	     "hypercall net write: 60 bytes at 0x3fffc5 are not its to read"},
	    {HVT_NET_READ,
	     {NET, RODATA, 60, 0},
	     "hypercall net read: 60 bytes at 0x101000 are not its to write"},
	    {HVT_NET_READ,
	     {NET, SIZE - 60, UINT64_MAX, 0},
	     "hypercall net read: 18446744073709551615 bytes at 0x3fffc4 are not its to write"},
	};
	static const struct {
		uint32_t number;
		struct hvt_block call;
		const char *why;
	} blocks[] = {
	    {HVT_BLOCK_WRITE,
	     {DISK, 0, HIDDEN, SECTOR, 0},
	     "hypercall block write: 512 bytes at 0x102000 are not its to read"},
	    {HVT_BLOCK_READ,
	     {DISK, 0, TEXT, SECTOR, 0},
	     "hypercall block read: 512 bytes at 0x100000 are not its to write"},
	    {HVT_BLOCK_READ,
	     {DISK, 0, UINT64_MAX - 1, SECTOR, 0},
	     "hypercall block read: 512 bytes at 0xfffffffffffffffe are not its to write"},
	};
	struct guest_memory *memory = *state;
	char left[8];

	assert_int_equal(write(wire[0], "left", 4), 4);
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		memcpy(memory->bytes + DATA, &nets[i].call, sizeof(nets[i].call));
		assert_faults(memory, &devices, nets[i].number, DATA, nets[i].why);
	}
	assert_int_equal(read(wire[0], left, sizeof(left)), -1);
	assert_int_equal(read(devices.at[NET].fd, left, sizeof(left)), 4);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		memcpy(memory->bytes + DATA, &blocks[i].call, sizeof(blocks[i].call));
		assert_faults(memory, &devices, blocks[i].number, DATA, blocks[i].why);
	}
}

static void assert_ready(struct guest_memory *memory, uint64_t timeout, uint64_t set, int32_t count)
{
	struct hvt_poll poll = {.timeout_nsecs = timeout, .ready_set = 7, .ret = 7};

	answered(memory, HVT_POLL, &poll, sizeof(poll));
	assert_int_equal(poll.ready_set, set);
	assert_int_equal(poll.ret, count);
}

/* Whoever waits hears of it once, by reading; then it wakes nobody any more. */
static void test_poll_of_a_net_that_goes(void **state)
{
	const uint64_t net = UINT64_C(1) << NET, broken = UINT64_C(1) << BROKEN_NET;
	struct hvt_net call = {.handle = BROKEN_NET, .data = SIZE - 64, .len = 64};
	char frame[8];

	devices.net[devices.nnets++] = BROKEN_NET;
	devices.at[BROKEN_NET].lost = false;
	assert_ready(*state, UINT64_MAX, broken, 1);
	assert_ready(*state, UINT64_MAX, broken, 1);
	assert_int_equal(net_call(*state, HVT_NET_READ, &call), HVT_UNSPECIFIED);
	assert_ready(*state, 0, 0, 0);
	assert_int_equal(write(wire[0], "net", 3), 3);
	assert_ready(*state, UINT64_MAX, net, 1);
	assert_int_equal(read(devices.at[NET].fd, frame, sizeof(frame)), 3);
	assert_int_equal(net_call(*state, HVT_NET_READ, &call), HVT_UNSPECIFIED);
	devices.nnets--;
}

/* Every address of a call may lie in its own structure: it was read before, it is written last. */
static void test_data_over_its_own_call(void **state)
{
	struct guest_memory *memory = *state;
	struct hvt_net net = {.handle = NET, .data = DATA, .len = sizeof(net)};
	struct hvt_block block = {.handle = DISK, .data = DATA + 8, .len = SECTOR};
	uint8_t frame[sizeof(net)], sector[SECTOR];

	memset(frame, 0xff, sizeof(frame));
	assert_int_equal(write(wire[0], frame, sizeof(frame)), sizeof(frame));
	assert_int_equal(net_call(memory, HVT_NET_READ, &net), HVT_OK);
	assert_int_equal(net.handle, NET);
	assert_int_equal(net.len, sizeof(net));
	net.ret = -1;
	assert_int_equal(net_call(memory, HVT_NET_WRITE, &net), HVT_OK);
	net.ret = -1;
	assert_int_equal(read(wire[0], frame, sizeof(frame)), sizeof(frame));
	assert_memory_equal(frame, &net, sizeof(net));

	memset(sector, 0xff, sizeof(sector));
	assert_int_equal(pwrite(devices.at[DISK].fd, sector, SECTOR, 0), SECTOR);
	assert_int_equal(block_call(memory, HVT_BLOCK_READ, &block), HVT_OK);
	assert_int_equal(block.offset, 0);
	assert_int_equal(memory->bytes[DATA + 8 + SECTOR - 1], 0xff);
}

/* The structure itself: to the last byte of memory, and one further; where answers cannot go. */
static void test_where_calls_are(void **state)
{
	const struct {
		uint32_t number;
		size_t size;
		const char *name;
	} calls[] = {{HVT_NET_WRITE, sizeof(struct hvt_net), "net write"},
		     {HVT_NET_READ, sizeof(struct hvt_net), "net read"},
		     {HVT_BLOCK_WRITE, sizeof(struct hvt_block), "block write"},
		     {HVT_BLOCK_READ, sizeof(struct hvt_block), "block read"}};
	struct guest_memory *memory = *state;
	struct hypercall_end end;
	char why[HYPERCALL_WHY_SIZE];

	memset(memory->bytes + SIZE - 64, 0, 64);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const uint64_t bad[] = {
		    SIZE - calls[i].size + 1, RODATA, HIDDEN, TEXT, DATA - 1, UINT32_MAX, 0};

		assert_int_equal(
		    hypercall(memory, &devices, calls[i].number, SIZE - calls[i].size, &end),
		    GUEST_RUNS);
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
			snprintf(why, sizeof(why),
				 "hypercall %s: 0x%llx is no address for its arguments",
				 calls[i].name, (unsigned long long)bad[k]);
			assert_faults(memory, &devices, calls[i].number, bad[k], why);
		}
	}
}

/* Bits are places in the manifest. Who is ready does not wait, however long he would. */
static void test_poll(void **state)
{
	const uint64_t net = UINT64_C(1) << NET, other = UINT64_C(1) << OTHER_NET;
	char frame[8];

	assert_ready(*state, 1, 0, 0);
	assert_int_equal(write(wire[1], "other", 5), 5);
	assert_ready(*state, UINT64_MAX, other, 1);
	assert_int_equal(write(wire[0], "net", 3), 3);
	assert_ready(*state, UINT64_MAX, net | other, 2);
	assert_ready(*state, 0, net | other, 2);
	assert_int_equal(read(devices.at[OTHER_NET].fd, frame, sizeof(frame)), 5);
	assert_ready(*state, UINT64_MAX, net, 1);
	assert_int_equal(read(devices.at[NET].fd, frame, sizeof(frame)), 3);
	assert_ready(*state, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_net_write),
	    cmocka_unit_test(test_net_read),
	    cmocka_unit_test(test_handles),
	    cmocka_unit_test(test_block_bounds),
	    cmocka_unit_test(test_block_data),
	    cmocka_unit_test(test_block_counts),
	    cmocka_unit_test(test_block_errors),
	    cmocka_unit_test(test_device_memory),
	    cmocka_unit_test(test_poll),
	    cmocka_unit_test(test_poll_of_a_net_that_goes),
	    cmocka_unit_test(test_data_over_its_own_call),
	    cmocka_unit_test(test_where_calls_are),
	};

	return cmocka_run_group_tests(tests, setup, world_teardown);
}
