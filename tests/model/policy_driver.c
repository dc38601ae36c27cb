/*
 * policy.c and vmmd's quota at the other end of a pipe: reads one line a step, for test_policy.py,
 * and answers what they decide. Trees and VMs are the lines' alone; nothing runs. The parts of vmmd
 * are its own (quota.c, tree.c, vm.c), with roles and records replaced by nothing.
 *
 *	R				a new tree
 *	H MB				what the host has, of memory
 *	D NODE PARENT LABEL POLICY	a delegation, PARENT its parent's number and one, 0 at
 *					the top; answers whether it is within its parent
 *	G NODE DATE POLICY		it was signed again; D's date is 0
 *	V ID NODE MEMORY CPUID NAMES	a VM with networks starts; answers whether it may
 *	E ID, F ID			it ends: and is remembered; and is forgotten
 *	B ID NODE MB			a volume is made; answers whether it may
 *	Y ID				it is destroyed
 *	(nothing)			answers are wanted now
 *
 * POLICY is VMS MEMORY BLOCK CPUIDS BRIDGES; a list is joined with ',' and - when it is empty; a
 * bridge is NAME or NAME/FIRST/LAST/ROUTER/BITS, addresses in hex, as wrong as the test wants them.
 * An answer is a line: "ok", or the refusal.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quota.h"
#include "roles.h"
#include "volume.h"

#define NODES_MAX  32
#define THINGS_MAX 64
#define ANSWERS_SIZE \
	(16 << 20) /* answers wait for an empty line, so that nobody waits for a pipe */

struct delegation {
	struct node node;
	struct policy policy;
	int parent; /* -1: the top */
};

static struct daemon d;
static struct delegation nodes[NODES_MAX];
static struct vm *vms[THINGS_MAX];
static struct volumes volumes;
static struct volume *volume[THINGS_MAX];
static struct request request; /* too large for a stack */

int roles_tell_console(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	(void)daemon, (void)type, (void)body, (void)fds;
	return 0;
}

static _Noreturn void bad_line(const char *what)
{
	fprintf(stderr, "policy_driver: %s\n", what);
	exit(2);
}

/* The next word of *LINE. */
static char *word(char **line)
{
	char *found = strsep(line, " ");
	if (!found || !*found)
		bad_line("a word is missing");
	return found;
}

static uint64_t number(char **line)
{
	return strtoull(word(line), NULL, 10);
}

/* One of the first BELOW things there are. */
static int index_of(char **line, int below)
{
	uint64_t index = number(line);
	if (index >= (uint64_t)below)
		bad_line("a number is too large");
	return (int)index;
}

/* The next item of a list; NULL behind the last. */
static char *item(char **list)
{
	return *list && strcmp(*list, "-") != 0 ? strsep(list, ",") : NULL;
}

static void address_of(const char *hex, uint8_t out[4])
{
	uint32_t value = (uint32_t)strtoul(hex, NULL, 16);
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void name_of(const char *text, char out[BRIDGE_NAME_SIZE])
{
	if (strlen(text) >= BRIDGE_NAME_SIZE)
		bad_line("a bridge's name is too long");
	memcpy(out, text, strlen(text) + 1);
}

static struct bridge bridge_of(char *text)
{
	struct bridge bridge = {.external = strchr(text, '/') != NULL};

	name_of(strsep(&text, "/"), bridge.name);
	if (!bridge.external)
		return bridge;
	address_of(strsep(&text, "/"), bridge.first);
	address_of(strsep(&text, "/"), bridge.last);
	address_of(strsep(&text, "/"), bridge.router);
	bridge.prefix = text ? (uint32_t)atoi(text) : 0;
	if (bridge.prefix == 0 || bridge.prefix > 32)
		bad_line("a bridge has no netmask");
	return bridge;
}

static void read_policy(char **line, struct policy *out)
{
	struct refusal why;
	char *list, *text;

	*out = (struct policy){.vms = (uint32_t)number(line)};
	out->memory_mb = (uint32_t)number(line);
	out->block_mb = (uint32_t)number(line);
	list = word(line);
	while ((text = item(&list)) != NULL)
		cpuset_add(&out->cpus, (unsigned)atoi(text));
	list = word(line);
	while ((text = item(&list)) != NULL) {
		struct bridge bridge = bridge_of(text);
		if (!policy_add_bridge(out, &bridge, &why))
			bad_line(why.text);
	}
}

static void answer(bool ok, const struct refusal *why)
{
	puts(ok ? "ok" : why->text);
}

static void start_tree(char **line)
{
	(void)line;
	while (d.vms)
		vm_free(d.vms);
	memset(vms, 0, sizeof(vms));
	places_forget(&volumes, &(struct path){.depth = 0});
	memset(volume, 0, sizeof(volume));
	d.volumes = &volumes;
	tree_free(&d.tree);
	tree_init(&d.tree, NULL, NULL);
}

static void set_host(char **line)
{
	d.host = (struct policy){.vms = POLICY_NUMBER_MAX, .memory_mb = (uint32_t)number(line)};
}

/* A session's chain down to NODE, as it was when NODE was new. */
static void request_below(int node)
{
	int chain[NODES_MAX];
	uint32_t depth = 0;

	for (; node >= 0 && depth < NODES_MAX; node = nodes[node].parent)
		chain[depth++] = node;
	if (depth > LEVELS_MAX)
		bad_line("a tree is too deep");
	memset(&request, 0, sizeof(request));
	request.depth = depth;
	request.kind = LEAF_VM;
	for (uint32_t i = 0; i < depth; i++) {
		request.level[i].node = nodes[chain[depth - 1 - i]].node;
		request.level[i].policy = nodes[chain[depth - 1 - i]].policy;
	}
}

static void learn(int node, int64_t date, const struct policy *policy)
{
	struct path path;

	request_below(node);
	request_scope(&request, &path);
	if (tree_note_path(&d.tree, &path, date, policy) < 0)
		bad_line("out of memory");
}

static void add_delegation(char **line)
{
	struct refusal why;
	int index = index_of(line, NODES_MAX);
	struct delegation *node = &nodes[index];
	bool ok = true;

	memset(node, 0, sizeof(*node));
	node->parent = index_of(line, NODES_MAX + 1) - 1;
	if (node->parent >= index)
		bad_line("a parent comes after its child");
	node->node.label.byte[LABEL_SIZE - 1] = (uint8_t)number(line);
	(void)snprintf(node->node.name, sizeof(node->node.name), "d%d", index);
	read_policy(line, &node->policy);
	if (node->parent >= 0)
		ok = policy_within(&node->policy, &nodes[node->parent].policy,
				   nodes[node->parent].node.name, &why);
	if (ok)
		learn(index, 0, &node->policy);
	answer(ok, &why);
}

static void sign_again(char **line)
{
	struct policy policy;
	int node = index_of(line, NODES_MAX);
	int64_t date = (int64_t)number(line);

	read_policy(line, &policy);
	learn(node, date, &policy);
}

static void start_vm(char **line)
{
	struct refusal why;
	int id = index_of(line, THINGS_MAX);
	char *list, *name;
	bool ok;

	request_below(index_of(line, NODES_MAX));
	request.vm.memory_mb = (uint32_t)number(line);
	request.vm.cpuid = (uint32_t)number(line);
	request.leaf.label.byte[0] = 1; /* no sibling's */
	(void)snprintf(request.leaf.name, sizeof(request.leaf.name), "vm%d", id);
	list = word(line);
	while ((name = item(&list)) != NULL) {
		if (request.vm.nnets == DEVICES_MAX)
			bad_line("a VM has too many networks");
		name_of(name, request.vm.net[request.vm.nnets++].bridge);
	}
	const struct usage wanted = {.vms = 1, .memory_mb = request.vm.memory_mb};
	ok = quota_check(&d, &request, &wanted, &why);
	if (ok && (vms[id] = vm_new(&d, &request)) == NULL)
		bad_line("out of memory");
	answer(ok, &why);
}

/* One that was refused here and not by the model has no end either: the test sees why. */
static void end_vm(char **line)
{
	struct vm *vm = vms[index_of(line, THINGS_MAX)];
	if (vm)
		vm->record.state = VM_ENDED;
}

static void forget_vm(char **line)
{
	struct vm *vm = vms[index_of(line, THINGS_MAX)];
	if (vm)
		vm_free(vm);
}

static void make_volume(char **line)
{
	struct refusal why;
	struct volume **at = &volume[index_of(line, THINGS_MAX)];
	struct path owner;
	uint64_t size_mb;
	char name[24];
	bool ok;

	request_below(index_of(line, NODES_MAX));
	size_mb = number(line);
	request_scope(&request, &owner);
	ok = quota_check_volume(&d, &request, &owner, size_mb, &why);
	snprintf(name, sizeof(name), "%zu", (size_t)(at - volume));
	*at = ok ? volume_new(&volumes, &owner, name, (uint32_t)size_mb) : NULL;
	answer(ok, &why);
}

static void destroy_volume(char **line)
{
	struct volume **at = &volume[index_of(line, THINGS_MAX)];

	if (*at)
		volume_forget(&volumes, *at);
	*at = NULL;
}

static const struct {
	char step;
	void (*run)(char **line);
} steps[] = {
    {'R', start_tree}, {'H', set_host},	   {'D', add_delegation},
    {'G', sign_again}, {'V', start_vm},	   {'E', end_vm},
    {'F', forget_vm},  {'B', make_volume}, {'Y', destroy_volume},
};

static void run_line(char *line)
{
	const char *step = word(&line);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].step == *step) {
			steps[i].run(&line);
			return;
		}
	bad_line("there is no such step");
}

int main(void)
{
	static char answers[ANSWERS_SIZE];
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	tree_init(&d.tree, NULL, NULL);
	(void)setvbuf(stdout, answers, _IOFBF, sizeof(answers));
	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (*line)
			run_line(line);
		else
			(void)fflush(stdout);
	}
	start_tree(NULL);
	tree_free(&d.tree);
	free(line);
	return 0;
}
