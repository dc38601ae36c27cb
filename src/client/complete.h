/*
 * What a word at the prompt can be completed to: commands, their options, names that the server
 * knows or the .db has.
 */
#ifndef VMM_COMPLETE_H
#define VMM_COMPLETE_H

#include "client.h"

/* A prompt_completer; ARG is the client. */
const char *complete_word(void *arg, const char *line, const char *start, size_t n);

#endif
