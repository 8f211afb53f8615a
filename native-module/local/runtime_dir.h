/* SPDX-License-Identifier: Apache-2.0 */
/* The directory through which the processes of one machine find each other. */
#ifndef LOCAL_RUNTIME_DIR_H
#define LOCAL_RUNTIME_DIR_H

#include <sys/un.h>

/* Files of the runtime directory. */
#define RUNTIME_SOCKET "mitosisd.sock" /* where mitosisd listens */
#define RUNTIME_PID    "mitosisd.pid"  /* its pid, locked while it runs */
#define RUNTIME_TRACE  "mitosis.trace" /* steps of all processes: paging/trace.h */
#define RUNTIME_LOG    "mitosisd.log"  /* its output */
#define RUNTIME_COUNT  "children"      /* started so far, when no mitosisd runs */
#define RUNTIME_PAGES                                                               \
	"pages" /* that came from other machines: daemon/page_counts.h */

#define RUNTIME_TRACE_LEVEL_MAX 2

/* Exit status of a mitosisd whose start failed in a system call: this plus errno. */
#define RUNTIME_EXIT_ERRNO 100

/* Size of a path that leaves room for the socket's name in a sockaddr_un. */
#define RUNTIME_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path))

/*
 * Writes the runtime directory's path: $MITOSIS_RUNTIME_DIR, else /run/mitosis
 * for root, else $XDG_RUNTIME_DIR/mitosis, else /tmp/mitosis-UID. Returns 0, or
 * -ENAMETOOLONG or -EINVAL (not absolute) with the requested path in `path`.
 */
int runtime_dir_path(char path[RUNTIME_PATH_MAX]);

/*
 * Creates the directory (0700, one level) if it does not exist, and checks that it
 * belongs to this user and that no other user can write to it. Root may also
 * connect to the daemon of another user, but never starts one for it. Returns 0 or
 * -errno: -ENOTDIR; -EPERM another user's; -EACCES writable for others, or not
 * writable.
 */
int runtime_dir_ensure(const char *path);

/*
 * Returns the level of the trace, which is $MITOSIS_TRACE: 0 to
 * RUNTIME_TRACE_LEVEL_MAX, or -EINVAL.
 */
int runtime_trace_level(void);

/* The address of the daemon's socket in a runtime directory. */
void runtime_dir_address(const char *path, struct sockaddr_un *address);

#endif /* LOCAL_RUNTIME_DIR_H */
