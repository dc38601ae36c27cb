/*
 * What gate_upper's vmmd and vmm_stats say of statistics. Said, a line each:
 *
 *   statistics PATH FAMILY     STATISTICS
 *
 * The command "samples KIND" is about those that are asked for from then on: "few", as it is at the
 * start, three VMs, one of which was never looked at, and with FAMILY the family and host; "tenant"
 * without these; "none"; "many" (1000); "huge" (more than an answer may have); "cut", whose end
 * does not come; "bad", with a message that is none; "silent", which says no more until it
 * is hushed. Of the path "absent" there is nothing.
 */
#ifndef GATE_STATISTICS_H
#define GATE_STATISTICS_H

#include "channel.h"

/* Says what there is of ASK to READER; false: it stays open. */
bool play_statistics(struct channel *reader, const struct msg_statistics *ask);
void statistics_command(const char *line);

#endif
