/* OpenMetrics text from the table. Pure. */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

#define LABEL_DIGITS 12 /* of each level: enough to tell two VMs of one name apart */
#define NUMBER_SIZE  32

/* One thing that has values. */
struct source {
	const void *base; /* what the table's places are in */
	uint32_t has;	  /* of what metrics need */
	struct text labels, info_labels;
};

/* Labels. */

/* VALUE as the format has it; bytes that are no UTF-8 become U+FFFD. */
static bool add_escaped(struct text *out, const char *value)
{
	size_t len = strlen(value), at = 0;
	bool ok = true;

	while (ok && at < len) {
		size_t start = at;
		int32_t character = utf8_next(value, len, &at);

		if (character < 0) {
			at++;
			ok = text_append_string(out, "\xef\xbf\xbd");
		} else if (character == '\n') {
			ok = text_append_string(out, "\\n");
		} else {
			ok = (character != '"' && character != '\\') || text_append(out, "\\", 1);
			ok = ok && text_append(out, value + start, at - start);
		}
	}
	return ok;
}

static bool add_pair(struct text *out, const char *name, const char *value)
{
	return text_append_string(out, name) && text_append_string(out, "=\"") &&
	       add_escaped(out, value) && text_append(out, "\"", 1);
}

static bool add_label(struct text *out, const char *name, const char *value)
{
	return (out->size == 0 || text_append(out, ",", 1)) && add_pair(out, name, value);
}

/* Values. */

/* In microseconds; 0: it has not been looked at yet. */
static uint64_t uptime(const struct msg_sample *sample)
{
	int64_t us = sample->now.time_us - sample->started_us;

	return us > 0 && sample->now.time_us != 0 ? (uint64_t)us : 0;
}

static uint64_t number_at(enum metric_form form, const void *base, size_t at)
{
	uint64_t number;
	uint32_t small;

	switch (form) {
	case FORM_ONE:
		return 1;
	case FORM_UPTIME:
		return uptime(base);
	case FORM_NUMBER:
	case FORM_MB32:
		memcpy(&small, (const uint8_t *)base + at, sizeof(small));
		return small;
	default:
		memcpy(&number, (const uint8_t *)base + at, sizeof(number));
		return number;
	}
}

/* In base units; false: it is not known. */
static bool write_number(enum metric_form form, uint64_t number, char *out)
{
	switch (form) {
	case FORM_TIME:
		snprintf(out, NUMBER_SIZE, "%" PRId64, (int64_t)number);
		return (int64_t)number > 0;
	case FORM_US:
	case FORM_TIME_US:
	case FORM_UPTIME:
		snprintf(out, NUMBER_SIZE, "%" PRIu64 ".%06" PRIu64, number / 1000000,
			 number % 1000000);
		return form == FORM_US || (int64_t)number > 0;
	case FORM_MB:
	case FORM_MB32:
		number <<= 20;
		/* fall through */
	default:
		snprintf(out, NUMBER_SIZE, "%" PRIu64, number);
		return true;
	}
}

/* Lines. */

static bool add_heading(struct text *out, const struct metric *metric)
{
	char heading[512];

	snprintf(heading, sizeof(heading), "# TYPE %s %s\n# HELP %s %s\n", metric->name,
		 metric_type(metric), metric->name, metric->help);
	if (!text_append_string(out, heading) || !*metric->unit)
		return !*metric->unit;
	snprintf(heading, sizeof(heading), "# UNIT %s %s\n", metric->name, metric->unit);
	return text_append_string(out, heading);
}

/* "{LABELS,kind="minor"}" */
static bool add_labels(struct text *out, const struct text *labels, const char *name,
		       const char *value)
{
	if (labels->size == 0 && !value)
		return true;
	return text_append(out, "{", 1) && text_append(out, labels->bytes, labels->size) &&
	       (!value || labels->size == 0 || text_append(out, ",", 1)) &&
	       (!value || add_pair(out, name, value)) && text_append(out, "}", 1);
}

static bool add_line(struct text *out, const struct metric *metric, const struct text *labels,
		     const char *value, const char *number)
{
	return (out->size > 0 || add_heading(out, metric)) &&
	       text_append_string(out, metric->name) &&
	       text_append_string(out, metric_suffix(metric)) &&
	       add_labels(out, labels, metric->label, value) && text_append(out, " ", 1) &&
	       text_append_string(out, number) && text_append(out, "\n", 1);
}

static bool add_series(struct text *out, const struct metric *metric, const struct source *source)
{
	const struct text *labels = metric->type == INFO ? &source->info_labels : &source->labels;
	char number[NUMBER_SIZE];

	for (size_t i = 0; i < SERIES_MAX && (i == 0 || metric->series[i].value); i++) {
		uint64_t value = number_at(metric->form, source->base, metric->series[i].at);

		if (write_number(metric->form, value, number) &&
		    !add_line(out, metric, labels, metric->series[i].value, number))
			return false;
	}
	return true;
}

/* Everything of SOURCE, whose labels are given back. OK: they could be made. */
static bool add_source(struct metrics *m, enum metric_of of, struct source *source, bool ok)
{
	for (size_t i = 0; ok && i < METRICS; i++) {
		size_t size = m->family[i].size;

		if (metrics_table[i].of != of || (metrics_table[i].needs & ~source->has))
			continue;
		ok = add_series(&m->family[i], &metrics_table[i], source);
		m->size += m->family[i].size - size;
	}
	text_free(&source->labels);
	text_free(&source->info_labels);
	return ok && m->size <= TEXT_MAX;
}

/* What there is. */

bool metrics_add_build(struct metrics *m, const char *version)
{
	struct source source = {0};

	return add_source(m, OF_BUILD, &source, add_label(&source.info_labels, "version", version));
}

static bool add_vm_labels(struct text *out, const struct msg_sample *sample)
{
	char path[PATH_TEXT_SIZE], label[PATH_DEPTH_MAX * (LABEL_DIGITS + 1)];

	path_format(&sample->path, 0, path);
	path_labels(&sample->path, LABEL_DIGITS, label);
	return add_label(out, "vm", path) && add_label(out, "label", label);
}

static bool add_tap(struct metrics *m, const struct msg_sample *sample, uint32_t n)
{
	const struct tap_info *tap = &sample->tap[n];
	struct source source = {.base = &sample->now.tap[n], .has = sample->now.parts};
	bool ok = add_vm_labels(&source.labels, sample) &&
		  add_label(&source.labels, "tap", tap->name) &&
		  add_label(&source.labels, "device", tap->device) &&
		  add_label(&source.labels, "bridge", tap->bridge);

	return add_source(m, OF_TAP, &source, ok);
}

bool metrics_add_vm(struct metrics *m, const struct msg_sample *sample)
{
	struct source source = {.base = sample, .has = sample->now.parts};
	char cpuid[NUMBER_SIZE];
	bool ok;

	snprintf(cpuid, sizeof(cpuid), "%" PRIu32, sample->cpuid);
	ok = add_vm_labels(&source.labels, sample) && add_vm_labels(&source.info_labels, sample) &&
	     add_label(&source.info_labels, "target", sample->target) &&
	     add_label(&source.info_labels, "cpuid", cpuid);
	ok = add_source(m, OF_VM, &source, ok);
	for (uint32_t i = 0; ok && i < sample->ntaps && i < sample->now.ntaps; i++)
		ok = add_tap(m, sample, i);
	return ok;
}

bool metrics_add_family(struct metrics *m, const struct family_reading *family)
{
	struct source source = {.base = family, .has = family->host_known ? NEEDS_HOST : 0};
	bool ok = add_source(m, OF_FAMILY, &source, true);

	for (uint32_t i = 0; ok && i < family->nroles; i++) {
		struct source role = {.base = &family->role[i]};

		ok = add_source(m, OF_ROLE, &role,
				add_label(&role.labels, "role", family->role[i].name));
	}
	return ok;
}

bool metrics_finish(struct metrics *m, struct text *out)
{
	bool ok = true;

	for (size_t i = 0; ok && i < METRICS; i++) {
		ok = m->family[i].size == 0 ||
		     text_append(out, m->family[i].bytes, m->family[i].size);
		text_free(&m->family[i]);
	}
	metrics_free(m);
	return ok && text_append_string(out, "# EOF\n");
}

void metrics_free(struct metrics *m)
{
	for (size_t i = 0; i < METRICS; i++)
		text_free(&m->family[i]);
	m->size = 0;
}
