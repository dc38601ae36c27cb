#include "tokens.h"

bool tokens_check(const struct vm_config *vm, const struct policy *bridges, uint32_t *wanted,
		  struct refusal *why)
{
	(void)vm, (void)bridges, (void)why;
	*wanted = 0;
	return true;
}

bool tokens_expand(const struct vm_config *vm, const struct token_net *net, struct strings *out)
{
	(void)net;
	*out = vm->argv;
	return true;
}
