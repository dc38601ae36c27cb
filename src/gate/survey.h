/*
 * Statistics on their way: samples from vmm_stats on a reader's socket, kept until the last of them
 * has come, for an answer is whole or a problem.
 */
#ifndef VMM_GATE_SURVEY_H
#define VMM_GATE_SURVEY_H

struct exchange;
struct survey;

/* The descriptor to poll for reading. */
int survey_wants(const struct survey *survey);
/* There is something to read; answers EXCHANGE, whose survey it is, when that was all. */
void survey_receive(struct exchange *exchange);
/* SURVEY may be NULL. */
void survey_close(struct survey *survey);

#endif
