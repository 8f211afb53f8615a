// SPDX-License-Identifier: Apache-2.0
#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libmitosis.h"
#include "local/printable.h"

static __thread char message[512];

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	/* A parent's paths are in it, which may be a stranger's. */
	make_printable(message, strlen(message));
	return err;
}

int no_memory(int err, const char *what)
{
	return fail(err,
		    "there is no memory for %s (%s); raise ulimit -v, or sysctl "
		    "vm.max_map_count if this process has that many mappings",
		    what, strerror(-err));
}

const char *why_no_process(int err)
{
	return err == -EAGAIN
		       ? "the limit of processes is reached; raise pids.max of the "
			 "control group, or ulimit -u"
		       : strerror(-err);
}

const char *mitosis_error(void)
{
	return message;
}
