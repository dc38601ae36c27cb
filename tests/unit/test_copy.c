/*
 * vmm_volume's two loops with another end that a test plays: a child that sends, or takes, or does
 * nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "copy.h"

#define MB	(1 << 20)
#define PATIENT 60000

static struct copy copy;
static int other; /* the other end of its socket */
static int vmmd;  /* of its status pipe */
static uint8_t was[4 * MB], is[4 * MB];

static int set_up(void **state)
{
	int ends[2], status[2];
	FILE *file = tmpfile();

	(void)state;
	if (file == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || pipe(status) < 0)
		return -1;
	copy = (struct copy){.file = dup(fileno(file)),
			     .socket = ends[0],
			     .status = status[1],
			     .size = 2 * MB,
			     .patience_ms = PATIENT};
	fclose(file);
	other = ends[1];
	vmmd = status[0];
	return ftruncate(copy.file, 2 * MB);
}

static int tear_down(void **state)
{
	(void)state;
	close(copy.file);
	close(copy.socket);
	close(copy.status);
	close(vmmd);
	if (other >= 0)
		close(other);
	return 0;
}

/* SIZE bytes of which no block is zero but every third of 64 KB. */
static void fill(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (i >> 16) % 3 == 2 ? 0 : (uint8_t)(i % 251 + 1);
}

/* A child that sends SIZE bytes in pieces of STEP, and ends. */
static pid_t send_in_pieces(size_t size, size_t step)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (size_t at = 0; at < size; at += step) {
			size_t n = size - at < step ? size - at : step;

			if (write(other, was + at, n) != (ssize_t)n)
				_exit(1);
		}
		_exit(0);
	}
	close(other);
	other = -1;
	return pid;
}

static void reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void contents_are(size_t size)
{
	assert_int_equal(pread(copy.file, is, 2 * MB, 0), 2 * MB);
	assert_memory_equal(is, was, size);
	for (size_t i = size; i < 2 * MB; i++)
		assert_int_equal(is[i], 0);
}

static void what_comes_is_written(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, MB + 77, 2 * MB};

	(void)state;
	fill(was, sizeof(was));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		pid_t pid = send_in_pieces(sizes[i], 3 * 4096 + 5);

		assert_int_equal(copy_in(&copy), COPIER_DONE);
		reap(pid);
		contents_are(sizes[i]);
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
}

static void blocks_of_zeros_are_not_written(void **state)
{
	struct stat st;
	pid_t pid;

	(void)state;
	memset(was, 0, sizeof(was));
	was[MB] = 1;
	pid = send_in_pieces(2 * MB, MB);
	assert_int_equal(copy_in(&copy), COPIER_DONE);
	reap(pid);
	contents_are(2 * MB);
	assert_int_equal(fstat(copy.file, &st), 0);
	assert_in_range(st.st_blocks, 1, 256);
}

static void one_byte_more_is_too_much(void **state)
{
	pid_t pid;

	(void)state;
	fill(was, sizeof(was));
	pid = send_in_pieces(2 * MB + 1, MB);
	assert_int_equal(copy_in(&copy), COPIER_TOO_MUCH);
	reap(pid);
	assert_int_equal(lseek(copy.file, 0, SEEK_END), 2 * MB);
}

static void who_is_silent_is_given_up(void **state)
{
	(void)state;
	copy.patience_ms = 10;
	assert_int_equal(write(other, "x", 1), 1);
	assert_int_equal(copy_in(&copy), COPIER_SILENT);
	/* Takes what its socket holds, and no more. */
	assert_int_equal(copy_out(&copy), COPIER_SILENT);
}

static void it_ends_with_its_vmmd(void **state)
{
	(void)state;
	close(vmmd);
	vmmd = dup(copy.file);
	copy.patience_ms = -1;
	assert_int_equal(copy_in(&copy), COPIER_ALONE);
	assert_int_equal(copy_out(&copy), COPIER_ALONE);
}

static void who_does_not_take_a_dump_ends_it(void **state)
{
	(void)state;
	close(other);
	other = -1;
	assert_int_equal(copy_out(&copy), COPIER_ALONE);
}

static void a_dump_has_everything(void **state)
{
	size_t have = 0;
	ssize_t n;
	pid_t pid;

	(void)state;
	fill(was, 2 * MB);
	memset(was + MB, 0, MB / 2);
	assert_int_equal(pwrite(copy.file, was, MB, 0), MB);
	assert_int_equal(pwrite(copy.file, was + MB + MB / 2, MB / 2, MB + MB / 2), MB / 2);
	pid = fork();
	if (pid == 0)
		_exit(copy_out(&copy));
	close(copy.socket);
	copy.socket = -1;
	while ((n = read(other, is + have, sizeof(is) - have)) > 0)
		have += (size_t)n;
	reap(pid);
	assert_int_equal(have, 2 * MB);
	assert_memory_equal(is, was, 2 * MB);
}

static void a_volume_that_cannot_be_written_says_so(void **state)
{
	(void)state;
	close(copy.file);
	copy.file = open("/dev/full", O_RDWR);
	assert_int_equal(write(other, "x", 1), 1);
	assert_int_equal(shutdown(other, SHUT_WR), 0);
	errno = 0;
	assert_int_equal(copy_in(&copy), COPIER_FAILED);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(copy.step, "the volume cannot be written");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_comes_is_written),     TEST(blocks_of_zeros_are_not_written),
	    TEST(one_byte_more_is_too_much), TEST(who_is_silent_is_given_up),
	    TEST(it_ends_with_its_vmmd),     TEST(who_does_not_take_a_dump_ends_it),
	    TEST(a_dump_has_everything),     TEST(a_volume_that_cannot_be_written_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
