/*
 * vmm_client: deploys a VM by its certificate, pushes a revocation list by its, or runs commands by
 * a command certificate. See vmm_client(1). The server decides what is allowed; nothing here is a
 * check that it relies on.
 */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "deploy.h"
#include "dial.h"
#include "identity.h"
#include "revoke.h"
#include "run.h"
#include "signals.h"
#include "stream.h"
#include "transfer.h"

/* A closed standard descriptor would be given to the connection. */
static bool descriptors_open(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

static struct output output_to(FILE *to)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	bool terminal = isatty(fileno(to));
	const char *no_colour = getenv("NO_COLOR"); /* no-color.org: if it is not empty */
	return (struct output){
	    .to = to,
	    .ascii = terminal && !utf8,
	    .colour = terminal && !terminal_is_plain() && !(no_colour && *no_colour),
	};
}

/* Whether the leaf is for what the options say. */
static enum status shape_check(const struct options *options, enum cert_shape shape,
			       struct refusal *why)
{
	const char *kind = shape == SHAPE_VM	    ? "VM"
			   : shape == SHAPE_COMMAND ? "command"
						    : "revocation";

	if (shape != SHAPE_COMMAND && options->ncommands > 0) {
		refusal_say(why, "-c: %s is a %s certificate, which takes no commands",
			    options->bundle, kind);
		return STATUS_USAGE;
	}
	if (shape != SHAPE_VM && options->force) {
		refusal_say(why, "--force: %s is a %s certificate, which starts no VM",
			    options->bundle, kind);
		return STATUS_USAGE;
	}
	return STATUS_DONE;
}

/* What can be wrong before there is a connection. */
static enum status prepare(struct client *client, struct identity *identity, struct refusal *why)
{
	const struct options *options = client->options;
	enum status status = identity_load(options, identity, why);

	if (status == STATUS_DONE)
		status = shape_check(options, identity->shape, why);
	if (status == STATUS_DONE && options->db && !db_load(options->db, &client->names.db, why))
		status = STATUS_USAGE;
	return status;
}

static void serve(struct client *client, enum cert_shape shape)
{
	if (shape == SHAPE_VM) {
		deploy(client);
		return;
	}
	if (shape == SHAPE_REVOCATION) {
		revocation_push(client);
		return;
	}
	signals_catch();
	if (client->options->ncommands > 0)
		run_commands(client);
	else
		run_input(client);
	streams_end(client, false);
	transfers_end(client);
}

static enum status connect_and_serve(struct client *client, const struct identity *identity,
				     struct refusal *why)
{
	struct tls tls;
	int fd = dial(&client->options->server, why);
	if (fd < 0)
		return STATUS_CONNECT;
	enum status status = tls_open(&tls, fd, client->options, identity, why);
	if (status == STATUS_DONE && session_open(&client->session, &tls)) {
		serve(client, identity->shape);
		session_close(&client->session);
		catalog_free(&client->catalog);
	} else if (status == STATUS_DONE) {
		refusal_say(why, "no memory");
		status = STATUS_REFUSED;
	}
	tls_close(&tls);
	return status;
}

/* Output that was lost is a failure, unless its reader had enough. */
static void output_check(struct client *client)
{
	struct pollfd reader = {.fd = STDOUT_FILENO};
	bool lost = fflush(stdout) != 0 || ferror(stdout);
	if (lost && poll(&reader, 1, 0) >= 0 && !(reader.revents & POLLERR))
		client_fail(client, STATUS_REFUSED, "standard output: not all could be written");
}

static enum status client_main(const struct options *options)
{
	struct client client = {
	    .options = options, .out = output_to(stdout), .err = output_to(stderr)};
	struct identity identity;
	struct refusal why;
	enum status status = prepare(&client, &identity, &why);

	if (status == STATUS_DONE)
		status = connect_and_serve(&client, &identity, &why);
	if (status != STATUS_DONE)
		client_fail(&client, status, "%s", why.text);
	output_check(&client);
	identity_free(&identity);
	db_free(&client.names.db);
	return client.status;
}

int main(int argc, char **argv)
{
	struct options options;
	struct refusal why;
	enum status status = STATUS_DONE;

	if (!descriptors_open())
		return STATUS_USAGE;
	setlocale(LC_CTYPE, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (!options_parse(argc, argv, &options, &why)) {
		fprintf(stderr, "vmm_client: %s; --help says more\n", why.text);
		status = STATUS_USAGE;
	} else if (options.help) {
		fputs(options_help, stdout);
		commands_print(stdout);
	} else if (options.version) {
		puts("vmm_client " VMM_VERSION);
	} else {
		status = client_main(&options);
	}
	options_free(&options);
	return (int)status;
}
