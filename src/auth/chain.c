/* The memfd with a chain, see chain.h. */
#include "chain.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cert.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

const char *chain_map(int fd, struct chain_bytes *out)
{
	struct stat stat;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return "sent a chain that is not in a sealed memfd";
	if (fstat(fd, &stat) < 0 || stat.st_size <= 0 || stat.st_size > CERT_MESSAGE_MAX)
		return "sent a chain that is empty or too long";
	void *map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return "has a chain that cannot be mapped";
	*out = (struct chain_bytes){.bytes = map, .size = (size_t)stat.st_size};
	return NULL;
}
