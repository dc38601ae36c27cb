/* See x509_time.h. */
#include "x509_time.h"

#include <time.h>

int64_t x509_seconds(const ASN1_TIME *time)
{
	struct tm tm;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
		return INT64_MIN;
	return timegm(&tm);
}
