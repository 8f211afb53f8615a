/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets share in which a thread has something for itself. */
#ifndef TARGETS_THREAD_OWN_H
#define TARGETS_THREAD_OWN_H

#include <linux/kcmp.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

/* The kernel module compares by itself. */
static inline void need_comparison(void)
{
	pid_t tid = syscall(SYS_gettid);

	if (target_backend() == MITOSIS_BACKEND_USER &&
	    syscall(SYS_kcmp, tid, tid, KCMP_FILES, 0, 0) < 0)
		target_skip(
			"a kernel that compares the files of threads (CONFIG_KCMP)");
}

#endif /* TARGETS_THREAD_OWN_H */
