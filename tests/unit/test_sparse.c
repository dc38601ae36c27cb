/* Files with holes: whatever is put, however it is cut, is what the file has, and zeros take no
 * place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sparse.h"

#define SIZE (3 * SPARSE_BUFFER + SPARSE_BLOCK + 17)

static uint8_t wanted[SIZE], got[SIZE + 1];
static struct sparse sparse;

/* Puts the first SIZE bytes of WANTED in pieces of PIECE; how many bytes the file has on the disk.
 */
static long put(size_t size, size_t piece)
{
	int fd = memfd_create("sparse", MFD_CLOEXEC);
	struct stat stat;

	assert_true(fd >= 0);
	sparse_init(&sparse, fd);
	for (size_t at = 0; at < size; at += piece)
		assert_int_equal(
		    sparse_put(&sparse, wanted + at, size - at < piece ? size - at : piece), 0);
	assert_int_equal(sparse_end(&sparse), 0);
	assert_int_equal(sparse.size, size);
	assert_int_equal(pread(fd, got, sizeof(got), 0), size);
	assert_memory_equal(got, wanted, size);
	assert_int_equal(fstat(fd, &stat), 0);
	close(fd);
	return stat.st_blocks * 512;
}

static void test_contents(void **state)
{
	static const size_t pieces[] = {SIZE, 1, 7, 4095, 4096, 4097, 16384, SPARSE_BUFFER};
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, SPARSE_BUFFER, SIZE};

	(void)state;
	srand(1);
	for (size_t at = 0; at < SIZE; at++) /* blocks of both kinds, by turns of several lengths */
		wanted[at] = at / SPARSE_BLOCK % 5 < 2 ? (uint8_t)rand() : 0;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
			put(sizes[j], pieces[i]);
	}
}

static void test_holes(void **state)
{
	(void)state;
	memset(wanted, 0, sizeof(wanted));
	assert_int_equal(put(SIZE, 5000), 0);
	wanted[10 * SPARSE_BLOCK] = 1;
	wanted[20 * SPARSE_BLOCK - 1] = 1;
	wanted[SIZE - 1] = 1;
	assert_in_range(put(SIZE, 5000), 3 * SPARSE_BLOCK, 3 * SPARSE_BLOCK);
}

static void test_errors(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	memset(wanted, 1, sizeof(wanted));
	sparse_init(&sparse, fd);
	assert_int_equal(sparse_put(&sparse, wanted, SPARSE_BUFFER), -ENOSPC);
	sparse_init(&sparse, fd);
	assert_int_equal(sparse_put(&sparse, wanted, 1), 0);
	assert_int_equal(sparse_end(&sparse), -ENOSPC);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_contents),
	    cmocka_unit_test(test_holes),
	    cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}
