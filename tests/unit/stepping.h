/* Looks at what a process would leave behind if it were killed, after each of its instructions. */
#ifndef VMM_STEPPING_H
#define VMM_STEPPING_H

/* Begins the part of RUN that is looked at. */
void stepping_begin(void);
/*
 * RUN in a child, which shares with us what ARG points to and the caller has mapped so; LOOK, here,
 * after every instruction from stepping_begin on. Skips the test where nobody may trace.
 */
void stepping_through(void (*run)(void *arg), void (*look)(void *arg), void *arg);

#endif
