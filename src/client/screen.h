/*
 * The whole terminal, by ncurses, while a command has it; then it is as it was. There is one.
 * Nothing else may write there, nor libedit have it.
 */
#ifndef VMM_SCREEN_H
#define VMM_SCREEN_H

#include <stdbool.h>

#include "top_draw.h"

#define SCREEN_NO_KEY (-1)

/* Standard input and output are a terminal. False: one of a kind that ncurses does not know. */
bool screen_open(bool colour);
void screen_close(void);

/* An empty canvas of the size that the terminal has now. To be shown before a key is asked for. */
struct canvas screen_canvas(void);
/* Brings to the terminal what was put since, where it differs from what is there. */
void screen_show(void);
/* The next time, all of it is written: something else wrote there, or changed the terminal's mode.
 */
void screen_redraw(void);

/* A character, or enum top_key; SCREEN_NO_KEY: none is typed. */
int screen_key(void);
/* Gives the terminal back and stops the program, as Ctrl-Z does at other times; goes on with a
 * screen that is to be redrawn. */
void screen_stop(void);

#endif
