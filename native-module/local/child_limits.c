// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/child_limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_range(const char *name, uint32_t min, uint32_t max, uint32_t *value,
		      char *problem, size_t size)
{
	const char *text = secure_getenv(name);
	unsigned long number;
	char *end;

	if (!text || !*text)
		return 0;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || *text == '-' || number < min || number > max) {
		snprintf(problem, size, "%s must be between %u and %u, got '%s'",
			 name, min, max, text);
		return -EINVAL;
	}
	*value = number;
	return 0;
}

static int read_number(const char *name, uint32_t max, uint32_t *value,
		       char *problem, size_t size)
{
	return read_range(name, 1, max, value, problem, size);
}

int child_limits_read(struct child_limits *limits, char *problem, size_t size)
{
	int err;

	*limits = (struct child_limits){
		.processes = CHILD_PROCESSES_DEFAULT,
		.map_kib = CHILD_MAP_KIB_DEFAULT,
	};
	err = read_number("MITOSIS_CHILD_PROCESSES", CHILD_PROCESSES_MAX,
			  &limits->processes, problem, size);
	return err ? err
		   : read_number("MITOSIS_CHILD_MAP_KIB", CHILD_MAP_KIB_MAX,
				 &limits->map_kib, problem, size);
}

int pagers_limit_read(uint32_t *pagers, char *problem, size_t size)
{
	*pagers = PAGERS_DEFAULT;
	return read_number("MITOSIS_PAGERS", PAGERS_MAX, pagers, problem, size);
}

int shared_limit_read(uint32_t *mib, char *problem, size_t size)
{
	*mib = SHARED_MIB_DEFAULT;
	return read_number("MITOSIS_SHARED_MIB", SHARED_MIB_MAX, mib, problem, size);
}

int replica_limit_read(uint32_t *mib, char *problem, size_t size)
{
	return read_range("MITOSIS_REPLICA_MIB", 0, REPLICA_MIB_MAX, mib, problem,
			  size);
}

int replica_fill_read(enum replica_fill *fill, char *problem, size_t size)
{
	static const char *const names[] = {
		[REPLICA_FILL_OFF] = "off",
		[REPLICA_FILL_RECORDED] = "recorded",
		[REPLICA_FILL_ALL] = "all",
	};
	const char *text = secure_getenv("MITOSIS_REPLICA_FILL");
	size_t i;

	*fill = REPLICA_FILL_RECORDED;
	if (!text || !*text)
		return 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			*fill = i;
			return 0;
		}
	snprintf(problem, size,
		 "MITOSIS_REPLICA_FILL must be off, recorded or all, got '%s'",
		 text);
	return -EINVAL;
}
