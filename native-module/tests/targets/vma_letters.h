/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGETS_VMA_LETTERS_H
#define TARGETS_VMA_LETTERS_H

#include "tests/targets/target.h"

/* Whether the VmFlags of the VMA at an address have the two letters. */
static inline bool has_flag(const void *address, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long start, end, at = (unsigned long)address;
	bool found = false, inside = false;
	char line[4096 + 128], letters[8];

	CHECK(smaps);
	snprintf(letters, sizeof(letters), " %s ", flag);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= at && at < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, letters) != NULL;
	}
	fclose(smaps);
	return found;
}

#endif /* TARGETS_VMA_LETTERS_H */
