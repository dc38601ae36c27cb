/*
 * A daemon's words on stderr, one line each: "<3>vmm_gate: text" with the level as sd-daemon(3)
 * reads it, without the level on a terminal. Only daemons call this, at their boundary; library
 * code returns errors.
 */
#ifndef VMM_LOG_H
#define VMM_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* PROGRAM is kept, not copied. DEBUG lines are written with VERBOSE only. */
void log_init(const char *program, bool verbose);
/* Control characters in the formatted text are written as \xNN: a log line is one line. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An error line, then exit(1): for start-up. */
_Noreturn void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define log_error(...)	 log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
