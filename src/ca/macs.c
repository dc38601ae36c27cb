/* MACs of a VM, see macs.h. */
#include "macs.h"

#include <stdio.h>

#include "cert.h"
#include "devices.h"
#include "mac.h"

/* The labels of CHAIN from the top down, a root left out; false: it is none of ours. */
static bool chain_path(const STACK_OF(X509) * chain, struct path *out)
{
	struct refusal ignored;
	int top = sk_X509_num(chain) - 1;

	if (top >= 0 && X509_self_signed(sk_X509_value(chain, top), 0) == 1)
		top--;
	if (top < 1 || top >= PATH_DEPTH_MAX)
		return false;
	*out = (struct path){.depth = (uint32_t)top + 1};
	for (int n = 0; n <= top; n++)
		if (!cert_label(X509_get0_serialNumber(sk_X509_value(chain, top - n)),
				&out->node[n].label, &ignored))
			return false;
	return true;
}

/* Which of IMAGE's devices each of VM's is, as it will be bound; false: it will not. */
static bool bind(const struct vm_config *vm, const struct elf_image *image, unsigned *bound)
{
	const char *name[DEVICES_MAX];
	char why[ELF_WHY_SIZE];

	for (uint32_t i = 0; i < vm->nnets; i++)
		name[i] = vm->net[i].device;
	return devices_bind(image, MFT_NET, "network", name, vm->nnets, bound, why);
}

void describe_macs(const STACK_OF(X509) * chain)
{
	struct cert_content content;
	unsigned bound[DEVICES_MAX];
	char why[ELF_WHY_SIZE], text[MAC_TEXT_SIZE];
	struct elf_image image;
	struct refusal ignored;
	uint8_t mac[MAC_SIZE];
	struct path path;

	if (!chain_path(chain, &path) ||
	    !cert_decode(X509_get0_extensions(sk_X509_value(chain, 0)), &content, &ignored) ||
	    content.vm.nnets == 0 || content.vm.image.form != IMAGE_EMBEDDED ||
	    !elf_read(content.image, content.vm.image.size, &image, why) ||
	    !bind(&content.vm, &image, bound))
		return;
	for (uint32_t i = 0; i < content.vm.nnets; i++) {
		const char *device = image.device[bound[i]].name;

		mac_make(&path, device, mac);
		mac_format(mac, text);
		printf("  %-12s %s, %s on %s\n", "mac", text, device, content.vm.net[i].bridge);
	}
}
