/* Whether something was left open. */
#ifndef VMM_TEST_DESCRIPTORS_H
#define VMM_TEST_DESCRIPTORS_H

/* How many descriptors this process has, of those that a test gets to. */
unsigned descriptors_open(void);

#endif
