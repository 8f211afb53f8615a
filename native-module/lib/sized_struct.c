// SPDX-License-Identifier: Apache-2.0
#include "lib/sized_struct.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/error.h"

/* The size, and the first field. */
#define SIZE_MIN       (2 * sizeof(uint32_t))
#define SIZE_MAX_GIVEN 4096

int sized_struct_read(const void *given, void *known, size_t known_size,
		      const char *what, const char *name)
{
	const char *bytes = given;
	uint32_t size = 0;
	size_t i;

	if (given)
		memcpy(&size, given, sizeof(size));
	if (size < SIZE_MIN || size > SIZE_MAX_GIVEN)
		return fail(-EINVAL,
			    "%s must say their size, sizeof(struct %s), got %u",
			    what, name, size);
	for (i = known_size; i < size; i++)
		if (bytes[i])
			return fail(-E2BIG,
				    "%s have %u bytes, of which this release knows "
				    "%zu; set the others to 0",
				    what, size, known_size);
	memset(known, 0, known_size);
	memcpy(known, given, size < known_size ? size : known_size);
	return 0;
}
