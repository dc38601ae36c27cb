/* tls: the TLS register is the guest's to set, and survives a call of the tender. */
#include "guest.h"

static uint64_t read_fs(void)
{
	uint64_t value;

	__asm__ volatile("movq %%fs:0, %0" : "=r"(value));
	return value;
}

int guest_main(int argc, char **argv)
{
	static uint64_t block[2] = {0x1111, 0x2222};

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < 2; i++) {
		tls_set((uintptr_t)&block[i]);
		print("tls: 0x%x\n", read_fs());
		poll_devices(0);
		print("tls: 0x%x behind a call\n", read_fs());
	}
	return 0;
}
