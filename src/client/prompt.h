/*
 * Where commands come from: a prompt with line editing and history when standard input and output
 * are terminals, else lines of standard input. What is printed in between does not disturb a line
 * that is being typed.
 */
#ifndef VMM_PROMPT_H
#define VMM_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* Completion number N of the word START, which ends at the cursor; LINE is what is in front of it.
 * NULL past the last. */
typedef const char *prompt_completer(void *arg, const char *line, const char *start, size_t n);

struct prompt {
	bool terminal;
	bool plain;	/* one that knows no control sequences */
	bool installed; /* libedit has the terminal */
	bool shown;	/* the prompt and what is typed are on the screen */
	bool typing;	/* something was typed since the prompt came */
	bool ended;	/* no more lines come */
	char *typed;	/* by libedit, taken with prompt_line */
	char *history;	/* the file's path; NULL: in memory alone */
	char *text;	/* read from a pipe, not yet taken */
	size_t size, room;
};

/* Opens the only one there is. On one that is all zero the other functions do nothing. */
void prompt_open(struct prompt *prompt, prompt_completer *complete, void *arg);
void prompt_close(struct prompt *prompt);
/* Whether a person sits there. */
bool prompt_active(const struct prompt *prompt);

/* Puts the prompt on the screen (again), or takes it off to print something. */
void prompt_show(struct prompt *prompt);
void prompt_hide(struct prompt *prompt);
/* Forgets what is being typed; whether anything was. */
bool prompt_cancel(struct prompt *prompt);

/* Standard input is readable: reads what is there. */
void prompt_read(struct prompt *prompt);
/* The next line, to be freed; NULL: none yet, or none any more (ENDED). */
char *prompt_line(struct prompt *prompt);

#endif
