/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a strict container adds to a lean one: a user of its own without capabilities, a
 * user and a network namespace, a root directory that is read-only, its own /proc and
 * /dev, and a filter of system calls. Either all of it holds, or there is no container.
 */
#ifndef LAUNCHER_STRICT_H
#define LAUNCHER_STRICT_H

#include <stddef.h>
#include <stdint.h>

struct strict {
	int user_namespace; /* open file, close-on-exec; -1: none */
	uint32_t user;	    /* and group: outside of it */
};

/*
 * Makes the user namespace, and takes from this process what its children may not
 * inherit: supplementary groups, the session keyring, and open files but `kept` and the
 * standard three, which become close-on-exec. Returns 0 or -errno, with the cause in
 * `reason`.
 */
int strict_create(struct strict *strict, int kept, char *reason, size_t size);
void strict_destroy(struct strict *strict);

/*
 * In a process of new mount and PID namespaces: makes `root` their root directory, as
 * above. Returns 0 or -errno, with the cause in `reason`.
 */
int strict_mount(const char *root, char *reason, size_t size);

/*
 * Takes all rights from this process, for good. `strict` is a struct strict. It maps
 * memory as before, and uses the files that it has open. Returns 0 or -errno.
 */
int strict_confine(void *strict);

/*
 * The same for a process that is to make threads: it keeps CAP_CHECKPOINT_RESTORE in the user
 * namespace, and has no filter of system calls yet.
 */
int strict_confine_threads(void *strict);

/*
 * In a process of a new PID namespace, and a mount namespace that is a copy of the container's: gives
 * it a session and a /proc of its own. Returns 0 or -errno.
 */
int strict_enter_namespace(void *strict);

#endif /* LAUNCHER_STRICT_H */
