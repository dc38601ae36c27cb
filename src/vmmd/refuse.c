/* Why something is refused before anything was made (lifecycle.h). */
#include <stdarg.h>
#include <stdio.h>

#include "lifecycle.h"

bool start_refuse(struct start_error *error, uint32_t status, const char *word, const char *format,
		  ...)
{
	va_list args;

	error->status = status;
	error->word = word;
	va_start(args, format);
	vsnprintf(error->why.text, sizeof(error->why.text), format, args);
	va_end(args);
	return false;
}
