/* SPDX-License-Identifier: Apache-2.0 */
/* The callers of the ownership tests: users, and root, in several states. */
#ifndef TESTS_KERNEL_CALLERS_H
#define TESTS_KERNEL_CALLERS_H

#include <sys/types.h>

#include "tests/harness.h"

#define USER	   1000
#define OTHER	   1001
#define PATIENT_MS 20000

enum who {
	ROOT,	   /* with all capabilities */
	BARE_ROOT, /* user 0 without any */
	SETUID,	   /* a setuid program: started by USER, effective user 0 */
	A_USER,
	ITS_GROUP, /* USER with another group */
	ANOTHER,
	NS_ROOT, /* USER as root of a user namespace */
	WHO_COUNT,
};

#define ONE(who) (1u << (who))
#define TRACERS	 (ONE(ROOT) | ONE(SETUID)) /* those with CAP_SYS_PTRACE */

extern const char *const caller_names[WHO_COUNT];

/* Turns this process into the caller. */
void be(enum who who);

/* The effective user id of the caller. */
uid_t user_of(enum who who);

/* Opens the module's device; skips the test if there is none. */
int open_device(void);

/* errno where `result` is negative, else 0. */
int error_of(int result);

/* Opens the device to all users; skips without root. */
void permit_all_callers(void);
void restore_permissions(void);

/* Waits for the process and returns its exit status, which must be one of exit(2). */
int exit_of(pid_t pid);

#endif /* TESTS_KERNEL_CALLERS_H */
