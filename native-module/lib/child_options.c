// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/child_options.h"

#include <errno.h>
#include <string.h>

#include "lib/error.h"

/* The mode, which every release has. */
#define SIZE_MIN       (2 * sizeof(uint32_t))
#define SIZE_MAX_KNOWN sizeof(struct mitosis_child_options)

int child_options_read(const struct mitosis_child_options *given,
		       struct mitosis_child_options *options)
{
	const char *bytes = (const char *)given;
	size_t i, known;

	if (!given || given->size < SIZE_MIN || given->size > 4096)
		return fail(-EINVAL,
			    "options of children must say their size, sizeof(struct "
			    "mitosis_child_options), got %u",
			    given ? given->size : 0);
	for (i = SIZE_MAX_KNOWN; i < given->size; i++)
		if (bytes[i])
			return fail(
				-E2BIG,
				"options of children have %u bytes, of which this "
				"release knows %zu; set the others to 0",
				given->size, SIZE_MAX_KNOWN);
	known = given->size < SIZE_MAX_KNOWN ? given->size : SIZE_MAX_KNOWN;
	memset(options, 0, sizeof(*options));
	memcpy(options, given, known);
	if (options->own & ~MITOSIS_OWN_ALL)
		return fail(-EINVAL,
			    "%#x is not of what a child can have of its own",
			    options->own);
	if (options->host_name &&
	    (!*options->host_name ||
	     strlen(options->host_name) >= MITOSIS_HOST_NAME_SIZE))
		return fail(-EINVAL,
			    "a host name must have 1 to %u characters, got '%s'",
			    MITOSIS_HOST_NAME_SIZE - 1, options->host_name);
	return 0;
}
