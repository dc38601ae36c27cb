/*
 * block WHAT [ARGUMENT]..., on its device "storage"; after "block DEVICE CAPACITY SECTOR-SIZE":
 *
 *   write SEED [--sectors=N]  a pattern over the first N sectors, or all: "written"
 *   read SEED [--sectors=N]   whether it is there: "as written", or the first sector that differs
 *   bounds [--write] [TRY]... asks for what it may not have, and for what it only just may;
 *                             without names for all that leaves it alive
 *   full                      writes on until an error, says it, and that the first sector is right
 *   speed [--sectors=N]       writes, then reads, and says how many bytes in how many nanoseconds
 *
 * 0 when all is as it should be; with --stay it sleeps then, for ever.
 */
#include "guest.h"

#define SECTOR_MAX UINT16_MAX
#define SEED_MIX   UINT64_C(0x9e3779b97f4a7c15)
#define FULL_SEED  1

static struct block_device storage;
static uint64_t sector[SECTOR_MAX / sizeof(uint64_t) + 1],
    expected[SECTOR_MAX / sizeof(uint64_t) + 1];

/* Words of an xorshift generator, which starts anew for each sector. */
static void make_pattern(uint64_t seed, uint64_t number, uint64_t *words)
{
	uint64_t x = (seed * SEED_MIX + number + 1) * SEED_MIX | 1;

	for (unsigned i = 0; i < storage.sector_size / sizeof(*words); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[i] = x;
	}
}

static const char *result_name(enum device_result result)
{
	static const char *const names[] = {"done", "again", "invalid", "unspecified"};

	return (unsigned)result < 4 ? names[result] : "unheard-of";
}

static enum device_result write_sector(uint64_t seed, uint64_t number)
{
	make_pattern(seed, number, sector);
	return block_write(&storage, number * storage.sector_size, sector, storage.sector_size);
}

static int write_all(uint64_t seed, uint64_t sectors)
{
	for (uint64_t n = 0; n < sectors; n++) {
		enum device_result result = write_sector(seed, n);

		if (result != DEVICE_OK) {
			print("sector %d: write: %s\n", n, result_name(result));
			return 1;
		}
	}
	print("written\n");
	return 0;
}

/* Whether sector NUMBER is as it was written; else says what it is. */
static int check_sector(uint64_t seed, uint64_t number)
{
	enum device_result result = block_read(&storage, number * storage.sector_size, sector,
					       storage.sector_size);

	if (result != DEVICE_OK) {
		print("sector %d: read: %s\n", number, result_name(result));
		return 0;
	}
	make_pattern(seed, number, expected);
	for (unsigned i = 0; i < storage.sector_size / sizeof(*sector); i++)
		if (sector[i] != expected[i]) {
			print("sector %d: differs\n", number);
			return 0;
		}
	return 1;
}

static int read_all(uint64_t seed, uint64_t sectors)
{
	for (uint64_t n = 0; n < sectors; n++)
		if (!check_sector(seed, n))
			return 1;
	print("as written\n");
	return 0;
}

static int fill(uint64_t sectors)
{
	enum device_result result = DEVICE_OK;
	uint64_t n = 0;

	while (n < sectors && (result = write_sector(FULL_SEED, n)) == DEVICE_OK)
		n++;
	if (result == DEVICE_OK) {
		print("full: never\n");
		return 1;
	}
	print("full: sector %d: %s\n", n, result_name(result));
	if (!check_sector(FULL_SEED, 0))
		return 1;
	print("full: the first is as written\n");
	return 0;
}

/* What each of them must come to where calls are answered, and where they may end the guest. */
enum outcome { DONE, REFUSED, KILLED };

static const struct attempt {
	const char *name;
	int from_end; /* OFFSET is counted from the capacity */
	int sectors;
	int bytes;  /* OFFSET is so many sectors and so many bytes */
	int halves; /* how long, in half sectors */
	enum outcome answered, as_process;
} attempts[] = {
    {"first", 0, 0, 0, 2, DONE, DONE},		{"last", 1, -1, 0, 2, DONE, DONE},
    {"unaligned", 0, 1, 1, 2, REFUSED, DONE},	{"past", 1, 0, 0, 2, REFUSED, KILLED},
    {"across", 1, -1, 0, 4, REFUSED, KILLED},	{"across-unaligned", 1, -1, 1, 2, REFUSED, KILLED},
    {"far", 1, 1 << 30, 0, 2, REFUSED, KILLED}, {"wrap", 0, -1, 0, 2, REFUSED, KILLED},
    {"short", 0, 0, 0, 1, REFUSED, KILLED},	{"one-and-a-half", 0, 0, 0, 3, REFUSED, KILLED},
    {"handle", 0, 0, 0, 2, REFUSED, KILLED},
};

static int judge(const struct attempt *try, const char *call, enum device_result result)
{
	enum outcome wanted = tender_kills ? try->as_process : try->answered;

	print("bounds: %s %s: %s\n", try->name, call, result_name(result));
	return wanted == DONE ? result == DEVICE_OK : wanted == REFUSED && result == DEVICE_INVALID;
}

/* Writes what it read; or nothing but zeros. */
static int attempt(const struct attempt *try, int only_writes)
{
	static uint8_t data[2 * (SECTOR_MAX + 1)];
	int64_t sectors = try->sectors;
	uint64_t offset = (try->from_end ? storage.capacity : 0) + (uint64_t)try->bytes +
			  (uint64_t)(sectors * storage.sector_size);
	size_t len = (size_t)try->halves * storage.sector_size / 2;
	struct block_device device = storage;
	int good = 1;

	if (same(try->name, "handle")) {
		device.handle = 63;
		device.descriptor = 0;
	}
	if (tender_kills && try->as_process == KILLED)
		print("bounds: %s: the end\n", try->name);
	if (!only_writes)
		good = judge(try, "read", block_read(&device, offset, data, len));
	return judge(try, "write", block_write(&device, offset, data, len)) && good;
}

static int try_bounds(int argc, char **argv)
{
	int good = 1, only_writes = argc > 0 && same(argv[0], "--write");

	argc -= only_writes;
	argv += only_writes;
	for (unsigned i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		int wanted = argc == 0 && !(tender_kills && attempts[i].as_process == KILLED);

		for (int n = 0; n < argc; n++)
			wanted |= same(argv[n], attempts[i].name);
		if (wanted)
			good &= attempt(&attempts[i], only_writes);
	}
	return !good;
}

static int measure(const char *what, uint64_t sectors)
{
	int writes = same(what, "write");
	uint64_t start = clock_monotonic(), size = storage.sector_size;

	for (uint64_t n = 0; n < sectors; n++) {
		enum device_result result = writes ? block_write(&storage, n * size, sector, size)
						   : block_read(&storage, n * size, sector, size);

		if (result != DEVICE_OK) {
			print("sector %d: %s: %s\n", n, what, result_name(result));
			return 0;
		}
	}
	print("%s: %d bytes in %d ns\n", what, sectors * size, clock_monotonic() - start);
	return 1;
}

/* The argument that is no option; "" without. */
static const char *word_of(int argc, char **argv, uint64_t *sectors, int *stay)
{
	const char *word = "";

	for (int i = 0; i < argc; i++) {
		const char *number = after_prefix(argv[i], "--sectors=");

		if (same(argv[i], "--stay"))
			*stay = 1;
		else if (number == NULL)
			word = argv[i];
		else if (number_parse(number) < *sectors)
			*sectors = number_parse(number);
	}
	return word;
}

static int work(const char *what, const char *word, uint64_t sectors)
{
	if (same(what, "write"))
		return write_all(number_parse(word), sectors);
	if (same(what, "read"))
		return read_all(number_parse(word), sectors);
	if (same(what, "full"))
		return fill(sectors);
	if (same(what, "speed"))
		return !(measure("write", sectors) && measure("read", sectors));
	print("block: what? write SEED, read SEED, bounds, full, speed\n");
	return 1;
}

int guest_main(int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "";
	int stay = 0, status;
	uint64_t sectors;
	const char *word;

	if (!block_find(0, &storage))
		return 1;
	print("block %s %d %d\n", storage.name, storage.capacity, (uint64_t)storage.sector_size);
	if (same(what, "bounds"))
		return try_bounds(argc - 1, argv + 1);
	sectors = storage.capacity / storage.sector_size;
	word = word_of(argc > 0 ? argc - 1 : 0, argv + 1, &sectors, &stay);
	status = work(what, word, sectors);
	if (stay && status == 0)
		sleep_for_ever();
	return status;
}
