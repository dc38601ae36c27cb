/* port in|out NUMBER: reads from or writes to a port of the processor that is no hypercall. */
#include "guest.h"

int guest_main(int argc, char **argv)
{
	uint16_t port = argc == 2 ? (uint16_t)number_parse(argv[1]) : 0;
	uint32_t value = 0;

	print("port: %s %d\n", argc == 2 ? argv[0] : "", (uint64_t)port);
	if (argc == 2 && same(argv[0], "in"))
		__asm__ volatile("inl %1, %0" : "=a"(value) : "d"(port));
	else
		__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port));
	print("port: survived\n");
	return 0;
}
