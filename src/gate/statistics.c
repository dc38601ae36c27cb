/* The routes of statistics: JSON of VMs, metrics of all there is. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "gather.h"
#include "handlers.h"
#include "metrics.h"
#include "render.h"
#include "survey.h"

/* At one go: the HTTP side must not starve behind many VMs. */
#define SAMPLES_AT_ONCE 64

struct survey {
	struct channel reader;
	bool as_metrics; /* else JSON, which the exchange gathers */
	struct metrics metrics;
};

static void ask(struct exchange *x, bool family)
{
	struct msg_statistics ask = {.family = family};

	memcpy(ask.path, x->path, sizeof(ask.path));
	exchange_ask(x, MSG_STATISTICS, &ask);
}

static void begin(struct exchange *x, struct incoming *in, bool as_metrics)
{
	if (in->type != MSG_REPLY_STREAM || x->survey)
		return;
	x->survey = calloc(1, sizeof(*x->survey));
	if (!x->survey) {
		gather_failed(x);
		return;
	}
	x->survey->as_metrics = as_metrics;
	channel_init(&x->survey->reader, channel_take(in, 0), LINK_READER, SIDE_LOWER);
	channel_set_nonblocking(&x->survey->reader);
	if (as_metrics && !metrics_add_build(&x->survey->metrics, VMM_VERSION))
		gather_failed(x);
}

/* GET /vms/statistics, GET /vms/PATH/statistics */

void statistics_start(struct exchange *x)
{
	ask(x, false);
}

void statistics_reply(struct exchange *x, struct incoming *in)
{
	begin(x, in, false);
}

/* GET /metrics */

void metrics_start(struct exchange *x)
{
	ask(x, true);
}

void metrics_reply(struct exchange *x, struct incoming *in)
{
	begin(x, in, true);
}

/* What vmm_stats says. */

static void add(struct exchange *x, const struct incoming *in)
{
	struct metrics *metrics = &x->survey->metrics;
	bool ok = true;

	if (!x->survey->as_metrics && in->type == MSG_SAMPLE)
		gather_append(x, "[", render_statistics(&in->body.sample));
	else if (in->type == MSG_SAMPLE)
		ok = metrics_add_vm(metrics, &in->body.sample);
	else if (in->type == MSG_FAMILY)
		ok = metrics_add_family(metrics, &in->body.family);
	if (!ok)
		gather_failed(x);
}

static void answer(struct exchange *x)
{
	if (!x->survey->as_metrics) {
		gather_answer(x, "[", "]\n");
	} else if (metrics_finish(&x->survey->metrics, &x->text)) {
		x->answered = true;
		answer_text(x->stream, METRICS_TYPE, &x->text);
	} else {
		gather_failed(x);
	}
}

int survey_wants(const struct survey *survey)
{
	return survey->reader.fd;
}

/* A problem, whoever has it, closes the survey. */
void survey_receive(struct exchange *x)
{
	static struct incoming in;

	for (int i = 0; i < SAMPLES_AT_ONCE && x->survey; i++) {
		enum channel_result result = channel_recv(&x->survey->reader, &in);

		if (result == CHANNEL_AGAIN)
			return;
		if (result != CHANNEL_MESSAGE) {
			exchange_problem(x, 503, "unavailable",
					 "vmm_stats is being started again: try once more");
			return;
		}
		if (in.type == MSG_SAMPLES_END)
			answer(x);
		else
			add(x, &in);
		incoming_close(&in);
		if (x->answered) {
			survey_close(x->survey);
			x->survey = NULL;
		}
	}
}

void survey_close(struct survey *survey)
{
	if (!survey)
		return;
	channel_close(&survey->reader);
	metrics_free(&survey->metrics);
	free(survey);
}
