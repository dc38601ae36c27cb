/*
 * The platform's own administration tools, where there is no library: fixed arguments, no
 * environment, no input, looked for where root's programs are and nowhere else.
 */
#ifndef VMM_TOOL_H
#define VMM_TOOL_H

#include "policy.h"

#define TOOL_ARGS 12

/*
 * Runs ARGV, NULL-terminated, fewer than TOOL_ARGS, and waits for its end. What it wrote to its
 * standard output into *OUTPUT, NUL-terminated, for free(); NULL: nobody wants it. 0; or -errno
 * with WHY: -EIO when it failed, with the first line that it complained with.
 */
int tool_run(const char *const *argv, char **output, struct refusal *why);

#endif
