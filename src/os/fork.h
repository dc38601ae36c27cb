/*
 * A second process of this program, for work that may block.
 */
#ifndef VMM_FORK_H
#define VMM_FORK_H

/*
 * 1 in the child, 0 in the parent with a pidfd (close-on-exec), or -errno. The child has of
 * descriptors 0 to 2 and KEEP (NKEEP of them, ascending) alone, signals as a new program has them,
 * and is killed when its parent ends.
 */
int process_fork(const int *keep, unsigned nkeep, int *pidfd);

#endif
