/*
 * The file that what was typed is kept in from one session to the next: one line a command, 0600,
 * appended to as it is typed, so that sessions side by side lose nothing of each other's. What
 * fails here is not worth a word: there is no history then but the session's own.
 */
#ifndef VMM_HISTORY_H
#define VMM_HISTORY_H

#define HISTORY_LINES	  500	/* kept in memory, and of a file that grew past its size */
#define HISTORY_FILE_SIZE 65536 /* bytes, when a session starts */

/* $XDG_STATE_HOME/vmm_client/history, or below ~/.local/state; its directories are made. To be
 * freed; NULL: there is no place for it. */
char *history_file_path(void);
/* Each line of the file, oldest first, at most HISTORY_LINES. Makes a file shorter that is too
 * long. */
void history_file_load(const char *path, void (*take)(const char *line));
void history_file_append(const char *path, const char *line);

#endif
