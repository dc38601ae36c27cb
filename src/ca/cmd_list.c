/*
 * vmm_ca list: what an issuer signed, and what is to be renewed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "inventory.h"
#include "pem.h"
#include "utf8.h"

#define DAYS_EXPIRING 30

/* How many characters TEXT has, which may be UTF-8. */
static int width(const char *text)
{
	size_t len = strlen(text), at = 0;
	int characters = 0;

	while (at < len && utf8_next(text, len, &at) >= 0)
		characters++;
	return characters;
}

static const char *name_words(const struct listed *item)
{
	return item->name[0] == '\0' ? "?" : item->name;
}

static void line_print(const struct listed *item, int names, int64_t now, unsigned days)
{
	const char *name = name_words(item);
	char label[LABEL_DIGITS_MIN + 1], until[TIME_SIZE] = "?", state[64];

	label_format(&item->label, LABEL_DIGITS_MIN, label);
	if (item->until != UNTIL_UNKNOWN)
		time_words(item->until, until);
	listed_words(item, now, days, state, sizeof(state));
	printf("%s%*s  %s  %-10s  %-26s  %s\n", name, names - width(name), "", label,
	       item->kind == NULL ? "?" : item->kind, until, state);
}

static bool renewed(const struct listed *item, int64_t now, unsigned days)
{
	enum listed_state state = listed_state(item, now, days);

	return state == LISTED_EXPIRING || state == LISTED_EXPIRED;
}

static void inventory_print(const struct inventory *inventory, unsigned days, bool expiring)
{
	int64_t now = time(NULL);
	int names = 0;

	for (size_t i = 0; i < inventory->count; i++)
		if (names < width(name_words(&inventory->item[i])))
			names = width(name_words(&inventory->item[i]));
	for (size_t i = 0; i < inventory->count; i++)
		if (!expiring || renewed(&inventory->item[i], now, days))
			line_print(&inventory->item[i], names, now, days);
}

static bool list(const struct args *args, struct issuer *issuer, struct inventory *inventory,
		 struct refusal *why)
{
	char stem[PATH_MAX];

	if (!file_stem(args->rest.item[0], ".db", stem, why) ||
	    !issuer_files_of(stem, NULL, &issuer->files, why) ||
	    !db_load(issuer->files.db, &issuer->db, why))
		return false;
	issuer->cert = pem_certificate_load(issuer->files.cert, why);
	if (issuer->cert == NULL || !inventory_read(issuer, inventory, why))
		return false;
	qsort(inventory->item, inventory->count, sizeof(*inventory->item), listed_compare);
	return true;
}

static int list_run(const struct args *args, struct refusal *why)
{
	struct issuer issuer = {.lock = -1};
	struct inventory inventory = {0};
	bool ok = list(args, &issuer, &inventory, why);

	if (ok)
		inventory_print(&inventory, args->days.given ? args->days.value : DAYS_EXPIRING,
				args->expiring);
	inventory_free(&inventory);
	issuer_close(&issuer);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option list_options[] = {
    FLAG("expiring", expiring, "only what is to be renewed: expiring or expired"),
    NUMBER("days", days, "N", 1, DAYS_MAX, "what ends within so many is expiring; default: 30"),
    OPTIONS_END,
};

const struct command command_list = {
    .name = "list",
    .arguments = "X.db [--expiring] [--days N]",
    .summary = "say what an issuer signed, and until when",
    .text =
	"A line a certificate, the first to expire first: name, label, what it is, until when,\n"
	"and whether that is soon, over, or was taken back. X's own certificate and the\n"
	"server's are among them. Beside X.db are X.pem (of ca.db: cacert.pem) and the others.",
    .options = list_options,
    .rest_min = 1,
    .rest_max = 1,
    .run = list_run,
};
