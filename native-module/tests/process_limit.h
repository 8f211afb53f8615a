/* SPDX-License-Identifier: Apache-2.0 */
/* A control group with a limit to its processes (pids.max), of v1 or v2. */
#ifndef TESTS_PROCESS_LIMIT_H
#define TESTS_PROCESS_LIMIT_H

#include <stdbool.h>

#define GROUP_PATH_MAX 4160

/* Makes a group, with a limit of one; false if none can be made. */
bool make_group(char path[GROUP_PATH_MAX]);

/* Writes to a file of a control group: pids.max, or a pid to cgroup.procs. */
bool write_number(const char *folder, const char *name, long number);

#endif /* TESTS_PROCESS_LIMIT_H */
