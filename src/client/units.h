/*
 * Numbers for people, in as few cells as they can be read in. Pure. A negative number is one that
 * there is none of: "-".
 */
#ifndef VMM_UNITS_H
#define VMM_UNITS_H

#define UNITS_NONE  (-1.0)
#define UNITS_SIZE  32 /* of any of them, NUL and all */
#define UNITS_CELLS 6  /* at most, of the compact ones */

/* At most four: "999", "1.2K", "340M"; a K is 1024 bytes. */
void units_bytes(double bytes, char out[UNITS_SIZE]);
/* Likewise of things, of which a K is 1000. */
void units_count(double count, char out[UNITS_SIZE]);
/* At most five: "0.5", "12.3", "100"; PART 1 is 100. */
void units_percent(double part, char out[UNITS_SIZE]);
/* At most six: "59s", "12m30s", "23h59m", "9d23h", "1234d". */
void units_age(double seconds, char out[UNITS_SIZE]);
/* Not compact: "1.2 KB", "340 MB", "17 B". */
void units_size(double bytes, char out[UNITS_SIZE]);

#endif
