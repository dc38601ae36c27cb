/*
 * The server's JSON as lines for people: the words of DESIGN's section 7, kept as they are because
 * scripts read them. Writes to the stream it is given, nothing else. A field that is missing or of
 * another type is shown as '?', never an error: what can be said is said.
 */
#ifndef VMM_FORMAT_H
#define VMM_FORMAT_H

#include <jansson.h>

#include "names.h"
#include "output.h"

/* "2026-11-22 16:09:52 +00:00" for RFC 3339 in UTC ("2026-11-22T16:09:52.123456Z"); else as it is.
 */
void format_time(const struct output *output, const char *rfc3339);
/* info NAME: 'MONITOR' 'ARG'... PID taps TAP, TAP[ addresses ADDRESS, ADDRESS] */
void format_vm(const struct output *output, const struct names *names, const json_t *vm);
/* The same with " macs MAC, MAC" behind the taps. */
void format_vm_macs(const struct output *output, const struct names *names, const json_t *vm);

/* volume NAME: SIZE MB, N MB on disk[, used by VM] */
void format_volume(const struct output *output, const struct names *names, const json_t *volume);

/* What an object of a stream is: of a console or of the event log. */
enum stream_entry { STREAM_LINE, STREAM_GAP, STREAM_DETACHED, STREAM_ENDED, STREAM_UNKNOWN };
enum stream_entry stream_entry(const json_t *entry);
/* console NAME: TIME LINE, or what else happened to it. */
void format_console(const struct output *output, const char *name, const json_t *entry);
/* log: TIME: NAME EVENT ..., or what else happened to the stream. */
void format_log(const struct output *output, const struct names *names, const json_t *entry);
/* ended VM NAME, ended session NAME ADDRESS:PORT: what a revocation list put an end to. */
void format_revoked(const struct output *output, const struct names *names, const json_t *ended);

#endif
