/*
 * Statistics as OpenMetrics text, version 1.0.0. Pure: values in, text out. What is unknown has no
 * line, a family without a line is left out.
 *
 * The metrics are a table (metrics_table.c), from which the text and `vmm_gate --metrics` are
 * made, and against which vmm_protocol(7) is tested.
 */
#ifndef VMM_GATE_METRICS_H
#define VMM_GATE_METRICS_H

#include "message.h"
#include "text.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What a metric is of, and where its values are. */
enum metric_of {
	OF_BUILD,  /* this program */
	OF_VM,	   /* struct msg_sample */
	OF_TAP,	   /* struct tap_reading */
	OF_FAMILY, /* struct family_reading */
	OF_ROLE,   /* struct role_state */
};

enum metric_type { COUNTER, GAUGE, INFO };

/* How a value is kept, and so how it becomes one of base units. */
enum metric_form {
	FORM_COUNT,   /* uint64_t */
	FORM_NUMBER,  /* uint32_t */
	FORM_US,      /* uint64_t of microseconds, as seconds */
	FORM_TIME_US, /* int64_t of microseconds since 1970, as seconds; 0: not known */
	FORM_TIME,    /* int64_t of seconds since 1970; 0: not known */
	FORM_MB,      /* uint64_t of 2^20 bytes, as bytes */
	FORM_MB32,    /* uint32_t likewise */
	FORM_UPTIME,  /* struct msg_sample: from its start to its newest reading */
	FORM_ONE,     /* 1: all that there is to say is in the labels */
};

/* Beside the enum reading_parts: */
#define NEEDS_HOST (1u << 31) /* what the host says of itself */

#define SERIES_MAX 3

struct metric {
	const char *name; /* of the family, as the type wants it: without _total, without _info */
	const char *unit; /* "seconds", "bytes", what the name ends with; "" */
	enum metric_of of;
	enum metric_type type;
	uint32_t needs; /* parts of a reading, or NEEDS_HOST */
	enum metric_form form;
	/* Of each line of it: the value of LABEL, NULL where there is but one; where the number is.
	 */
	const char *label;
	struct {
		const char *value;
		size_t at;
	} series[SERIES_MAX];
	const char *help;
};

#define METRICS 37
extern const struct metric metrics_table[METRICS];
/* "counter" */
const char *metric_type(const struct metric *metric);
/* What a family's lines are called beyond its name: "_total". */
const char *metric_suffix(const struct metric *metric);
/* The labels of its lines, "vm label mode", into OUT. */
void metric_labels(const struct metric *metric, char *out, size_t size);

/* Text by family, until all has come. Starts as zeros. */
struct metrics {
	struct text family[METRICS];
	size_t size; /* of all of them */
};

/* Each false: no memory, or more than TEXT_MAX bytes. */
bool metrics_add_build(struct metrics *metrics, const char *version);
bool metrics_add_vm(struct metrics *metrics, const struct msg_sample *sample);
bool metrics_add_family(struct metrics *metrics, const struct family_reading *family);
/* All that was added, appended to OUT. METRICS is empty afterwards. */
bool metrics_finish(struct metrics *metrics, struct text *out);
void metrics_free(struct metrics *metrics);

#endif
