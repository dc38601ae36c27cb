/*
 * What vmmd, vmm_console, vmm_log and vmm_stats say, as JSON (vmm_protocol(7) has the fields) and
 * as text. Pure: values in, values out. The json_t * are new references; NULL: no memory.
 */
#ifndef VMM_GATE_RENDER_H
#define VMM_GATE_RENDER_H

#include <jansson.h>

#include "message.h"

/* The object of GET /, without levels; then each level is added, from the top. */
json_t *render_whoami(const struct msg_reply_whoami *whoami);
bool render_level(json_t *whoami, const struct msg_reply_level *level);
json_t *render_vm(const struct msg_reply_vm *vm);
json_t *render_volume(const struct msg_reply_volume *volume);
/* What a revocation ended. */
json_t *render_revoked(const struct msg_reply_ended *ended);
json_t *render_problem(int status, const char *word, const char *detail);
/* enum vm_end and enum stop_cause; null for what has not ended. */
json_t *render_end(uint32_t end, uint32_t value);
json_t *render_cause(uint32_t end, uint32_t cause);
/* Of a VM, with its rates where there is a reading to compare with. */
json_t *render_statistics(const struct msg_sample *sample);
/* A string that need not be UTF-8: what is not becomes U+FFFD. A time; null for 0. */
json_t *render_text(const char *text);
json_t *render_time(int64_t time_us);

/*
 * One entry of a stream, with its newline, at most RENDER_ENTRY_MAX bytes into OUT; how many.
 * PLAIN: text/plain, else NDJSON. Neither lets a guest's bytes drive a terminal.
 */
#define RENDER_ENTRY_MAX (8 * CONSOLE_LINE_MAX)
size_t render_line(const struct msg_line *line, bool plain, char *out);
/* OF: what it is that a gap has so many of, "lines". */
size_t render_gap(const struct msg_gap *gap, const char *of, bool plain, char *out);
size_t render_detached(const char *why, bool plain, char *out);
size_t render_ended(const struct msg_ended *ended, bool plain, char *out);
size_t render_entry(const struct log_entry *entry, bool plain, char *out);

#endif
