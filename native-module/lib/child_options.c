// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/child_options.h"

#include <errno.h>
#include <string.h>

#include "lib/error.h"
#include "lib/sized_struct.h"

int child_options_read(const struct mitosis_child_options *given,
		       struct mitosis_child_options *options)
{
	int err = sized_struct_read(given, options, sizeof(*options),
				    "options of children", "mitosis_child_options");

	if (err)
		return err;
	if (options->own & ~MITOSIS_OWN_ALL)
		return fail(-EINVAL,
			    "own must be a set of MITOSIS_OWN_* (at most %#x), got "
			    "%#x",
			    MITOSIS_OWN_ALL, options->own);
	if (options->signals > MITOSIS_SIGNALS_CLEARED || options->reserved)
		return fail(-EINVAL,
			    "signals must be 0 (any) or 1 (cleared) and reserved 0, "
			    "got %u and %u",
			    options->signals, options->reserved);
	if (options->host_name &&
	    (!*options->host_name ||
	     strlen(options->host_name) >= MITOSIS_HOST_NAME_SIZE))
		return fail(-EINVAL,
			    "a host name must have 1 to %u characters, got '%s'",
			    MITOSIS_HOST_NAME_SIZE - 1, options->host_name);
	return 0;
}
