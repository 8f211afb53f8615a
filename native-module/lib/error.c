// SPDX-License-Identifier: Apache-2.0
#include "lib/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "libmitosis.h"

static __thread char sentence[512];

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	return err;
}

const char *mitosis_error(void)
{
	return sentence;
}
