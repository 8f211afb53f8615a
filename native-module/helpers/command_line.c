// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/command_line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void die(int status, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

uint64_t parse_number(const char *text, const char *name, uint64_t min,
		      uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || text[0] == '-' || value < min ||
	    value > max)
		die(2, "%s is to be a number from %llu to %llu, not '%s'", name,
		    (unsigned long long)min, (unsigned long long)max, text);
	return value;
}
