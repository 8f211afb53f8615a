/* SPDX-License-Identifier: Apache-2.0 */
/* For targets whose children prepare themselves in turn. */
#ifndef TARGETS_DESCEND_H
#define TARGETS_DESCEND_H

#include <sys/wait.h>

#include "tests/targets/target.h"

/*
 * The part of a process that has prepared itself: starts a child, which does the rest, and ends
 * after it. mode: of the child; NULL: as mitosis-child chooses.
 */
static inline void __attribute__((noreturn))
descend_to_child(struct mitosis *device, uint32_t handler_id, const char *mode)
{
	bool kernel = target_backend() == MITOSIS_BACKEND_KERNEL;
	char number[16], path[512];
	pid_t pid;

	snprintf(number, sizeof(number), "%u", handler_id);
	snprintf(path, sizeof(path), "%s/mitosis-child", getenv("MITOSIS_TEST_BIN"));
	pid = fork();
	if (pid == 0) {
		execl(path, path, "--backend", kernel ? "kernel" : "user",
		      "--handler-id", number, mode ? "--mode" : (char *)NULL, mode,
		      (char *)NULL);
		_exit(127);
	}
	CHECK_ENDS_WELL(pid);
	mitosis_close(device);
	_exit(0);
}

#endif /* TARGETS_DESCEND_H */
