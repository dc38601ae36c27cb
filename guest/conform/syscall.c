/*
 * syscall [int80 | device] NUMBER [ARG]...: makes one system call of Linux, up to six numbers or
 * "text" (the address of one) as its arguments, and says so when it came back. "device" puts the
 * descriptor that the tender gave to wait with before them.
 */
#include "guest.h"

static uint64_t argument(const char *word)
{
	static const char text[] = "syscall: text\n";

	return same(word, "text") ? (uintptr_t)text : number_parse(word);
}

static int64_t int80(uint64_t number, uint64_t a)
{
	int64_t result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a) : "memory");
	return result;
}

int guest_main(int argc, char **argv)
{
	int old = argc > 0 && same(argv[0], "int80");
	int device = argc > 0 && same(argv[0], "device");
	uint64_t a[8] = {0};
	unsigned n = 0;

	for (int i = old | device; i < argc && n < 7; i++) {
		a[n++] = argument(argv[i]);
		if (n == 1 && device)
			a[n++] = (uint64_t)guest_boot().waiting;
	}
	print("syscall: %d\n", a[0]);
	if (old)
		int80(a[0], a[1]);
	else
		syscall6(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
	print("syscall: survived\n");
	return 0;
}
