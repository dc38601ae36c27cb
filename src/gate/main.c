/* vmm_gate: the one process of the family that the network reaches. See vmm_gate(8). */
#include <jansson.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "context.h"
#include "listener.h"
#include "log.h"
#include "metrics.h"
#include "role.h"
#include "routes.h"
#include "rules.h"
#include "slots.h"
#include "warm.h"

/* The tables, for whoever makes tests or documents of them. */
static int print_routes(void)
{
	for (size_t i = 0; i < ROUTES; i++)
		printf("%s\t%s\t%s\t%s\n", routes[i].method, routes[i].pattern,
		       routes[i].permission, routes[i].parameters);
	return 0;
}

static int print_metrics(void)
{
	for (size_t i = 0; i < METRICS; i++) {
		const struct metric *metric = &metrics_table[i];
		char labels[64];

		metric_labels(metric, labels, sizeof(labels));
		printf("%s%s\t%s\t%s\t%s\n", metric->name, metric_suffix(metric),
		       metric_type(metric), labels, metric->help);
	}
	return 0;
}

/* As many descriptors as we may have, and no more connections than those are for. */
static void fit_descriptors(struct limits *limits)
{
	struct rlimit limit;
	rlim_t wanted = 2 * (rlim_t)(limits->waiting + limits->sessions) + DESCRIPTORS_BASE +
			DESCRIPTORS_RESERVED;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < wanted)
		log_notice("the limit of open files (%ju) is below what %u sessions take (%ju)",
			   (uintmax_t)limit.rlim_cur, limits->sessions, (uintmax_t)wanted);
}

/* OpenSSL, without configuration file or environment, so that neither can change what it does. */
static void prepare_tls(struct nursery *nursery)
{
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) || !openssl_warm())
		log_fatal("OpenSSL cannot do a TLS 1.3 handshake");
	nursery->tls = context_new();
	if (!nursery->tls)
		log_fatal("OpenSSL lacks an algorithm that TLS 1.3 needs");
	nursery->slots = slots_new();
	if (nursery->slots < 0)
		log_fatal("no memory file: %s", strerror(-nursery->slots));
}

int main(int argc, char **argv)
{
	static struct listener listener;
	struct limits limits = LIMITS_DEFAULT;
	struct channel up;

	if (argc == 2 && !strcmp(argv[1], "--routes"))
		return print_routes();
	if (argc == 2 && !strcmp(argv[1], "--metrics"))
		return print_metrics();
	role_start(argc, argv, "vmm_gate", LINK_GATE, &up);
	signal(SIGPIPE, SIG_IGN);
	fit_descriptors(&limits);
	tzset();	     /* libc reads a file the first time that it breaks a time down */
	json_object_seed(0); /* reads a file when nobody asked for it before */
	listener_init(&listener, &up, &limits);
	prepare_tls(&listener.nursery);
	role_confine(gate_rules, gate_nrules);
	listener_run(&listener);
	return 0;
}
