/* Reads the command line (options.h), from a table. Opens nothing. */
#include "options.h"

#include "hvt.h"
#include "report.h"
#include "spt.h"
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_DEFAULT_MB 512
#define MEMORY_MAX_MB	  4096 /* what an hvt guest's page tables can map */

static const char usage[] =
    "usage: vmm_monitor [--mem=MB] [--x-exec-heap] [DEVICE]... [--] IMAGE [ARG]...\n"
    "       vmm_monitor [--mem=MB] --image=@FD:OFFSET:LENGTH [--status=@FD] [--kvm=@FD] "
    "[--go=@FD] [--stats=@FD] [--nx] [DEVICE]... [--] [ARG]...\n"
    "Runs IMAGE, a Solo5 unikernel for the hvt or the spt target, with ARGs as its command line.\n"
    "  --mem=MB                   memory of the guest, up to 4096, for hvt even (512)\n"
    "  --image=@FD:OFFSET:LENGTH  the image is in an open descriptor\n"
    "  --status=@FD               say there whether the guest starts, instead of on stderr\n"
    "  --kvm=@FD                  /dev/kvm, already open\n"
    "  --go=@FD                   wait there for a byte before the guest starts, end when none "
    "comes\n"
    "  --stats=@FD                hvt: count in that file, a page of vmmd's\n"
    "  --nx                       hvt: data is not executable, as it never is for spt\n"
    "  --x-exec-heap              spt: heap and stack are executable (dangerous)\n"
    "  --help, --version\n"
    "A DEVICE that the image declares, each of them once; without :NAME the next one that nobody "
    "names:\n"
    "  --net[:NAME]=TAP | @FD     a network device: a tap that is up, or one that is open\n"
    "  --net-mac:NAME=MAC         its MAC (random, or what is answered on --status)\n"
    "  --block[:NAME]=FILE | @FD  a disk: a file or block device, or one that is open\n"
    "  --block-sector-size:NAME=BYTES\n"
    "                             its sectors, a power of two (512)\n"
    "Exit status: the guest's; 1 when it could not start, or faulted as hvt. A fault as spt is a "
    "signal.\n";

static bool set_memory(const char *value, struct options *out)
{
	uint64_t mb;

	if (parse_number(value, '\0', MEMORY_MAX_MB, &mb) == NULL || mb == 0)
		return false;
	out->memory = mb << 20;
	return true;
}

static bool set_image(const char *value, struct options *out)
{
	value = parse_fd(value, ':', &out->image_fd);
	if (value != NULL)
		value = parse_number(value + 1, ':', INT64_MAX, &out->image_offset);
	if (value != NULL)
		value = parse_number(value + 1, '\0', INT64_MAX, &out->image_length);
	return value != NULL;
}

static bool set_status(const char *value, struct options *out)
{
	if (parse_fd(value, '\0', &out->status_fd) == NULL)
		return false;
	report_to(out->status_fd);
	return true;
}

static bool set_kvm(const char *value, struct options *out)
{
	return parse_fd(value, '\0', &out->kvm_fd) != NULL;
}

static bool set_go(const char *value, struct options *out)
{
	return parse_fd(value, '\0', &out->go_fd) != NULL;
}

static bool set_stats(const char *value, struct options *out)
{
	return parse_fd(value, '\0', &out->stats_fd) != NULL;
}

static bool set_nx(const char *value, struct options *out)
{
	(void)value;
	out->nx = true;
	return true;
}

static bool set_exec_heap(const char *value, struct options *out)
{
	(void)value;
	out->exec_heap = true;
	return true;
}

static bool add_net(const char *value, struct options *out)
{
	return given_add_source(&out->nets, value);
}

static bool add_mac(const char *value, struct options *out)
{
	return given_add_mac(&out->macs, value);
}

static bool add_block(const char *value, struct options *out)
{
	return given_add_source(&out->blocks, value);
}

static bool add_sector(const char *value, struct options *out)
{
	return given_add_sector(&out->sectors, value);
}

static bool print_usage(const char *value, struct options *out)
{
	(void)value;
	(void)out;
	_exit(write_all(STDOUT_FILENO, usage, sizeof(usage) - 1) < 0);
}

static bool print_version(const char *value, struct options *out)
{
	(void)value;
	(void)out;
	printf("vmm_monitor %s, Solo5 ABI: hvt version %d, spt version %d\n", VMM_VERSION,
	       HVT_ABI_VERSION, SPT_ABI_VERSION);
	_exit(fflush(stdout) != 0);
}

/* NAME is all of an option, or what stands before its value. */
static const struct {
	const char *name;
	bool has_value;
	bool (*set)(const char *value, struct options *out);
	const char *wanted;
} table[] = {
    {"--mem=", true, set_memory, "1 to 4096 MB"},
    {"--image=", true, set_image, "@FD:OFFSET:LENGTH"},
    {"--status=", true, set_status, "@FD"},
    {"--kvm=", true, set_kvm, "@FD"},
    {"--go=", true, set_go, "@FD"},
    {"--stats=", true, set_stats, "@FD"},
    {"--nx", false, set_nx, ""},
    {"--x-exec-heap", false, set_exec_heap, ""},
    {"--net-mac", true, add_mac, ":NAME=XX:XX:XX:XX:XX:XX, of one host"},
    {"--net", true, add_net, "[:NAME]=TAP|@FD, at most 63 times"},
    {"--block-sector-size", true, add_sector, ":NAME=BYTES, a power of two from 512 to 32768"},
    {"--block", true, add_block, "[:NAME]=FILE|@FD, at most 63 times"},
    {"--help", false, print_usage, ""},
    {"--version", false, print_version, ""},
};

static void parse_option(const char *option, struct options *out)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t len = strlen(table[i].name);

		if (strncmp(option, table[i].name, len) != 0)
			continue;
		if (!table[i].has_value && option[len] != '\0')
			continue;
		if (!table[i].set(option + len, out))
			report_fatal("'%s': must be %s%s", option, table[i].name, table[i].wanted);
		return;
	}
	report_fatal("unknown option '%s' (--help shows them)", option);
}

void options_parse(char **argv, struct options *out)
{
	*out = (struct options){
	    .memory = (uint64_t)MEMORY_DEFAULT_MB << 20,
	    .image_fd = -1,
	    .status_fd = -1,
	    .kvm_fd = -1,
	    .go_fd = -1,
	    .stats_fd = -1,
	};
	if (*argv != NULL)
		argv++;
	for (; *argv != NULL && **argv == '-'; argv++) {
		if (strcmp(*argv, "--") == 0) {
			argv++;
			break;
		}
		parse_option(*argv, out);
	}
	if (out->nx && out->exec_heap)
		report_fatal("'--nx' and '--x-exec-heap' exclude each other");
	/* Its warning would come before the guest has its turn. */
	if (out->go_fd >= 0 && out->exec_heap)
		report_fatal("'--go' and '--x-exec-heap' exclude each other");
	if (out->image_fd < 0) {
		if (*argv == NULL)
			report_fatal("no IMAGE to run (--help shows how)");
		out->image_path = *argv++;
	}
	out->args = argv;
}
