/*
 * The issuer's .db file, see db.h. A line is checked as strictly as a certificate: what is read
 * here is shown to people and turned into paths.
 */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cert.h"

#define SERIAL_DIGITS_MAX 49 /* 2^160 has so many */

static bool entry_push(struct db *db, const struct db_entry *entry)
{
	struct db_entry *grown;

	/* A power of two is when the array is full. */
	if ((db->count & (db->count - 1)) == 0) {
		size_t room = db->count == 0 ? 1 : db->count * 2;

		grown = reallocarray(db->entry, room, sizeof(*grown));
		if (grown == NULL)
			return false;
		db->entry = grown;
	}
	db->entry[db->count++] = *entry;
	return true;
}

static ASN1_INTEGER *serial_parse(const char *text, size_t len)
{
	char digits[SERIAL_DIGITS_MAX + 1];
	ASN1_INTEGER *serial = NULL;
	BIGNUM *number = NULL;

	if (len == 0 || len > SERIAL_DIGITS_MAX || text[0] == '0')
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return NULL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (BN_dec2bn(&number, digits) != 0)
		serial = BN_to_ASN1_INTEGER(number, NULL);
	BN_free(number);
	return serial;
}

/* One line without its newline; WHY names what is wrong, not where. */
static bool line_parse(const char *text, size_t len, struct db_entry *out, struct refusal *why)
{
	const char *space = memchr(text, ' ', len), *name, *problem;
	size_t name_len;

	out->serial = NULL;
	if (space == NULL)
		return refusal_say(why, "has no space between serial and name");
	name = space + 1;
	name_len = len - (size_t)(name - text);
	if ((problem = name_problem(name, name_len)) != NULL)
		return refusal_say(why, "the name %s", problem);
	memcpy(out->name, name, name_len);
	out->name[name_len] = '\0';
	out->serial = serial_parse(text, (size_t)(space - text));
	if (out->serial == NULL)
		return refusal_say(why,
				   "the serial is no positive decimal number of at most %d digits",
				   SERIAL_DIGITS_MAX);
	return cert_label(out->serial, &out->label, why);
}

static int label_order(const void *a, const void *b)
{
	const struct label *const *x = a, *const *y = b;

	return memcmp((*x)->byte, (*y)->byte, LABEL_SIZE);
}

/* Refuses a serial that is there twice: whose path would it be? */
static bool serials_differ(const char *path, const struct db *db, struct refusal *why)
{
	const struct label **sorted = reallocarray(NULL, db->count + 1,
						   sizeof(const struct label *));
	char hex[LABEL_DIGITS_MIN + 1];
	bool ok = true;

	if (sorted == NULL)
		return refusal_say(why, "%s: out of memory", path);
	for (size_t i = 0; i < db->count; i++)
		sorted[i] = &db->entry[i].label;
	qsort(sorted, db->count, sizeof(const struct label *), label_order);
	for (size_t i = 1; i < db->count && ok; i++) {
		if (!label_equal(sorted[i - 1], sorted[i]))
			continue;
		label_format(sorted[i], LABEL_DIGITS_MIN, hex);
		ok = refusal_say(why, "%s: the serial number with label %s is there twice", path,
				 hex);
	}
	free(sorted);
	return ok;
}

bool db_parse(const char *path, const char *text, size_t len, struct db *out, struct refusal *why)
{
	const char *end = text + len, *next;
	unsigned number = 1;

	memset(out, 0, sizeof(*out));
	for (; text < end; text = next + 1, number++) {
		struct db_entry entry;
		struct refusal what;

		next = memchr(text, '\n', (size_t)(end - text));
		if (next == NULL)
			next = end;
		if (!line_parse(text, (size_t)(next - text), &entry, &what)) {
			ASN1_INTEGER_free(entry.serial);
			db_free(out);
			return refusal_say(why, "%s: line %u: %.400s", path, number, what.text);
		}
		if (!entry_push(out, &entry)) {
			ASN1_INTEGER_free(entry.serial);
			db_free(out);
			return refusal_say(why, "%s: out of memory", path);
		}
	}
	if (serials_differ(path, out, why))
		return true;
	db_free(out);
	return false;
}

/* All of the regular file FD; NULL with WHY. */
static char *file_text(const char *path, int fd, size_t *len, struct refusal *why)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		refusal_say(why, "%s: is no regular file", path);
		return NULL;
	}
	if (st.st_size > (off_t)DB_SIZE_MAX) {
		refusal_say(why, "%s: has %lld bytes, at most %u are read", path,
			    (long long)st.st_size, DB_SIZE_MAX);
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL) {
		refusal_say(why, "%s: out of memory", path);
		return NULL;
	}
	for (*len = 0; *len < (size_t)st.st_size; *len += (size_t)n) {
		n = read(fd, text + *len, (size_t)st.st_size - *len);
		if (n < 0) {
			refusal_say(why, "%s: %s", path, strerror(errno));
			free(text);
			return NULL;
		}
		if (n == 0)
			break;
	}
	return text;
}

bool db_load(const char *path, struct db *out, struct refusal *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t len;
	char *text;
	bool ok;

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return refusal_say(why, "%s: %s", path, strerror(errno));
	text = file_text(path, fd, &len, why);
	close(fd);
	if (text == NULL)
		return false;
	ok = db_parse(path, text, len, out, why);
	free(text);
	return ok;
}

void db_free(struct db *db)
{
	for (size_t i = 0; i < db->count; i++)
		ASN1_INTEGER_free(db->entry[i].serial);
	free(db->entry);
	memset(db, 0, sizeof(*db));
}

static size_t index_past(const struct db *db, const struct db_entry *after)
{
	return after == NULL ? 0 : (size_t)(after - db->entry) + 1;
}

const struct db_entry *db_find_name(const struct db *db, const char *name,
				    const struct db_entry *after)
{
	for (size_t i = index_past(db, after); i < db->count; i++)
		if (strcmp(db->entry[i].name, name) == 0)
			return &db->entry[i];
	return NULL;
}

const struct db_entry *db_find_prefix(const struct db *db, const char *text, size_t len,
				      const struct db_entry *after)
{
	for (size_t i = index_past(db, after); i < db->count; i++)
		if (label_matches(&db->entry[i].label, text, len))
			return &db->entry[i];
	return NULL;
}

const struct db_entry *db_find_label(const struct db *db, const struct label *label)
{
	for (size_t i = 0; i < db->count; i++)
		if (label_equal(&db->entry[i].label, label))
			return &db->entry[i];
	return NULL;
}

const struct db_entry *db_find_serial(const struct db *db, const ASN1_INTEGER *serial)
{
	for (size_t i = 0; i < db->count; i++)
		if (ASN1_INTEGER_cmp(db->entry[i].serial, serial) == 0)
			return &db->entry[i];
	return NULL;
}

bool db_add(struct db *db, const ASN1_INTEGER *serial, const char *name, struct refusal *why)
{
	const char *problem = name_problem(name, strlen(name));
	const struct db_entry *other = db_find_serial(db, serial);
	struct db_entry entry;

	if (problem != NULL)
		return refusal_say(why, "the name %s", problem);
	if (other != NULL)
		return refusal_say(why, "the serial number of %s is that of %s already", name,
				   other->name);
	if (!cert_label(serial, &entry.label, why))
		return false;
	snprintf(entry.name, sizeof(entry.name), "%s", name);
	entry.serial = ASN1_INTEGER_dup(serial);
	if (entry.serial == NULL || !entry_push(db, &entry)) {
		ASN1_INTEGER_free(entry.serial);
		return refusal_say(why, "out of memory");
	}
	return true;
}

size_t db_retire(struct db *db, const char *name)
{
	size_t kept = 0, retired;

	for (size_t i = 0; i < db->count; i++) {
		if (strcmp(db->entry[i].name, name) == 0)
			ASN1_INTEGER_free(db->entry[i].serial);
		else
			db->entry[kept++] = db->entry[i];
	}
	retired = db->count - kept;
	db->count = kept;
	return retired;
}

static bool line_format(FILE *out, const struct db_entry *entry)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(entry->serial, NULL);
	char *digits = number == NULL ? NULL : BN_bn2dec(number);

	BN_free(number);
	if (digits == NULL)
		return false;
	fprintf(out, "%s %s\n", digits, entry->name);
	OPENSSL_free(digits);
	return true;
}

char *db_format(const struct db *db, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	bool ok = out != NULL;

	for (size_t i = 0; i < db->count && ok; i++)
		ok = line_format(out, &db->entry[i]);
	if (out == NULL)
		return NULL;
	if (fclose(out) != 0 || !ok) {
		free(text);
		return NULL;
	}
	return text;
}

/* Whether PATH still leads to the file that FD has open. */
static bool same_file(const char *path, int fd)
{
	struct stat there, here;

	return stat(path, &there) == 0 && fstat(fd, &here) == 0 && there.st_ino == here.st_ino &&
	       there.st_dev == here.st_dev;
}

int db_lock(const char *path, struct refusal *why)
{
	int fd, rc;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
		if (fd < 0)
			break;
		do
			rc = flock(fd, LOCK_EX);
		while (rc < 0 && errno == EINTR);
		if (rc < 0)
			break;
		if (same_file(path, fd))
			return fd;
		close(fd); /* replaced while we waited */
	}
	refusal_say(why, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
