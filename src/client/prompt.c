/*
 * The prompt, by libedit, and lines from a pipe. Runs no command.
 */
#include "prompt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <editline/readline.h>

#include "history.h"
#include "output.h"
#include "signals.h"

#define LINE_MAX_BYTES 65536 /* a longer line from a pipe ends the input */

/* libedit's callbacks have no argument: the only open prompt, and how it completes. */
static struct {
	struct prompt *prompt;
	prompt_completer *complete;
	void *arg;
	size_t next;
	char *line; /* in front of the word */
} here;

/* Once, however often it is typed in a row. */
static void remember(const char *line)
{
	const HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1)
						    : NULL;

	if (last && strcmp(last->line, line) == 0)
		return;
	add_history(line);
	if (here.prompt->history)
		history_file_append(here.prompt->history, line);
}

static void on_line(char *line)
{
	here.prompt->shown = here.prompt->installed = false;
	rl_callback_handler_remove();
	if (line && line[strspn(line, " \t")] != '\0')
		remember(line);
	here.prompt->typed = line;
	here.prompt->ended = !line;
}

static char *next_completion(const char *text, int again)
{
	if (!again)
		here.next = 0;
	const char *word = here.line ? here.complete(here.arg, here.line, text, here.next++) : NULL;
	return word ? strdup(word) : NULL;
}

static char **complete(const char *text, int start, int end)
{
	(void)end;
	here.line = strndup(rl_line_buffer, (size_t)start);
	rl_attempted_completion_over = 1; /* no file names */
	char **matches = rl_completion_matches(text, next_completion);
	free(here.line);
	here.line = NULL;
	return matches;
}

static void take_line(const char *line)
{
	add_history(line);
}

void prompt_open(struct prompt *prompt, prompt_completer *completer, void *arg)
{
	*prompt = (struct prompt){.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
				  .plain = terminal_is_plain()};
	if (!prompt->terminal)
		return;
	here.prompt = prompt;
	here.complete = completer;
	here.arg = arg;
	rl_readline_name = "vmm_client";
	rl_catch_signals = 0;
	rl_attempted_completion_function = complete;
	rl_basic_word_break_characters = " \t";
	using_history();
	stifle_history(HISTORY_LINES);
	prompt->history = history_file_path();
	if (prompt->history)
		history_file_load(prompt->history, take_line);
}

void prompt_close(struct prompt *prompt)
{
	prompt_hide(prompt);
	fflush(stdout);
	if (prompt->installed)
		rl_callback_handler_remove();
	free(prompt->typed);
	free(prompt->text);
	free(prompt->history);
	*prompt = (struct prompt){0};
}

bool prompt_active(const struct prompt *prompt)
{
	return prompt->terminal;
}

static void install(struct prompt *prompt)
{
	rl_callback_handler_install("$ ", on_line);
	prompt->typing = false;
}

void prompt_show(struct prompt *prompt)
{
	if (!prompt->terminal)
		return;
	unsigned flags = signals_take(SIGNAL_RESIZE | SIGNAL_CONTINUE);
	if (flags & SIGNAL_RESIZE)
		rl_resize_terminal();
	if (flags & SIGNAL_CONTINUE && prompt->installed) {
		rl_deprep_terminal(); /* libedit believes that it still has it */
		rl_prep_terminal(1);
	}
	if (prompt->shown && !flags)
		return;
	fflush(stdout);
	if (prompt->installed)
		rl_forced_update_display();
	else
		install(prompt);
	prompt->shown = prompt->installed = true;
}

void prompt_hide(struct prompt *prompt)
{
	if (!prompt->shown)
		return;
	fputs(prompt->plain ? "\n" : "\r\033[K", stdout);
	prompt->shown = false;
}

bool prompt_cancel(struct prompt *prompt)
{
	if (!prompt->installed)
		return false;
	rl_callback_handler_remove();
	fputs("^C\n", stdout);
	prompt->shown = prompt->installed = false;
	return prompt->typing;
}

static void pipe_read(struct prompt *prompt)
{
	if (prompt->room - prompt->size < 4096) {
		char *text = prompt->size < LINE_MAX_BYTES
				 ? realloc(prompt->text, prompt->room + 8192)
				 : NULL;
		if (!text) {
			prompt->ended = true;
			return;
		}
		prompt->text = text;
		prompt->room += 8192;
	}
	ssize_t got = read(STDIN_FILENO, prompt->text + prompt->size, prompt->room - prompt->size);
	if (got > 0)
		prompt->size += (size_t)got;
	else if (got == 0 || (errno != EINTR && errno != EAGAIN))
		prompt->ended = true;
}

void prompt_read(struct prompt *prompt)
{
	if (!prompt->terminal)
		pipe_read(prompt);
	else if (prompt->installed) {
		prompt->typing = true;
		rl_callback_read_char();
	}
}

/* The first line of what was read from a pipe; at its end a newline may be missing. */
static char *pipe_line(struct prompt *prompt)
{
	char *end = prompt->size > 0 ? memchr(prompt->text, '\n', prompt->size) : NULL;
	if (!end && !(prompt->ended && prompt->size > 0))
		return NULL;
	size_t len = end ? (size_t)(end - prompt->text) : prompt->size;
	size_t used = len + (end != NULL);
	char *line = strndup(prompt->text, len);
	memmove(prompt->text, prompt->text + used, prompt->size - used);
	prompt->size -= used;
	return line;
}

char *prompt_line(struct prompt *prompt)
{
	if (!prompt->terminal)
		return pipe_line(prompt);
	char *line = prompt->typed;
	prompt->typed = NULL;
	return line;
}
