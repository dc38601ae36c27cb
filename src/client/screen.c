/*
 * ncurses, and no decision but how it looks.
 */
#include "screen.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NCURSES_NOMACROS
#include <curses.h>
#include <term.h>

/* Milliseconds for the rest of a key that begins with escape. */
#define ESCAPE_MS 100

enum { PAIR_TITLE = 1, PAIR_FAILED };

/* ncurses has it as global variables too. */
static SCREEN *screen;
static bool coloured;

static void colours_start(bool colour)
{
	coloured = colour && has_colors();
	if (!coloured)
		return;
	start_color();
	use_default_colors();
	init_pair(PAIR_TITLE, COLOR_CYAN, -1);
	init_pair(PAIR_FAILED, COLOR_RED, -1);
}

/* It would take SIGTSTP for itself, and write from within a signal handler. NULL: it does not know
 * the terminal. */
static SCREEN *screen_new(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;
	int known;

	/* newterm would find that out too, but never free what it took for it. */
	if (setupterm(NULL, STDOUT_FILENO, &known) != OK)
		return NULL;
	del_curterm(cur_term);
	sigaction(SIGTSTP, &ignore, &before);
	SCREEN *made = newterm(NULL, stdout, stdin);
	sigaction(SIGTSTP, &before, NULL);
	return made;
}

bool screen_open(bool colour)
{
	fflush(stdout);
	screen = screen_new();
	if (!screen)
		return false;
	set_escdelay(ESCAPE_MS);
	raw(); /* Ctrl-C and Ctrl-Z are keys */
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	colours_start(colour);
	return true;
}

void screen_close(void)
{
	endwin();
	delscreen(screen);
	screen = NULL;
}

static void put(void *arg, size_t line, size_t at, enum canvas_style style, const char *text)
{
	static const attr_t attributes[] = {
	    [CANVAS_PLAIN] = A_NORMAL, [CANVAS_TITLE] = A_REVERSE, [CANVAS_SORTED] = A_BOLD,
	    [CANVAS_FAINT] = A_DIM,    [CANVAS_FAILED] = A_BOLD,
	};
	(void)arg;

	attr_set(attributes[style],
		 coloured && style == CANVAS_FAILED  ? PAIR_FAILED
		 : coloured && style == CANVAS_TITLE ? PAIR_TITLE
						     : 0,
		 NULL);
	mvaddstr((int)line, (int)at, text);
}

struct canvas screen_canvas(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
	    (size.ws_row != getmaxy(stdscr) || size.ws_col != getmaxx(stdscr)))
		resizeterm(size.ws_row, size.ws_col);
	werase(stdscr);
	return (struct canvas){
	    .width = (size_t)getmaxx(stdscr), .height = (size_t)getmaxy(stdscr), .put = put};
}

void screen_show(void)
{
	wrefresh(stdscr);
}

void screen_redraw(void)
{
	reset_prog_mode();
	clearok(stdscr, TRUE);
}

int screen_key(void)
{
	static const struct {
		int curses;
		enum top_key key;
	} keys[] = {
	    {KEY_UP, TOP_KEY_UP},	    {KEY_DOWN, TOP_KEY_DOWN},  {KEY_PPAGE, TOP_KEY_PAGE_UP},
	    {KEY_NPAGE, TOP_KEY_PAGE_DOWN}, {KEY_HOME, TOP_KEY_FIRST}, {KEY_END, TOP_KEY_LAST},
	};
	int typed = wgetch(stdscr);

	if (typed == ERR)
		return SCREEN_NO_KEY;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == typed)
			return keys[i].key;
	return typed <= 0xff ? typed : TOP_KEY_OTHER;
}

void screen_stop(void)
{
	endwin();
	raise(SIGTSTP);
	screen_redraw();
}
