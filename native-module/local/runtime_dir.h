/* SPDX-License-Identifier: Apache-2.0 */
/* The directory through which the processes of one machine find each other. */
#ifndef LOCAL_RUNTIME_DIR_H
#define LOCAL_RUNTIME_DIR_H

#include <sys/un.h>

/* Files of the runtime directory. */
#define RUNTIME_SOCKET	"mitosisd.sock"	/* where mitosisd listens */
#define RUNTIME_PID	"mitosisd.pid"	/* its pid, locked while it runs */
#define RUNTIME_LOG	"mitosisd.log"	/* what it had to say */

/* Exit status of a mitosisd that the system refused something at its start: plus errno. */
#define RUNTIME_EXIT_ERRNO	100

/* Room for a path whose socket's name still fits into a sockaddr_un. */
#define RUNTIME_PATH_MAX	(sizeof(((struct sockaddr_un *)0)->sun_path))

/*
 * Writes the runtime directory's path: $MITOSIS_RUNTIME_DIR, else /run/mitosis
 * for root, else $XDG_RUNTIME_DIR/mitosis, else /tmp/mitosis-UID. Returns 0, or
 * -ENAMETOOLONG or -EINVAL (not absolute) with `path` holding what was asked for.
 */
int runtime_dir_path(char path[RUNTIME_PATH_MAX]);

/*
 * Makes the directory (0700, one level) unless it is there, and checks that it
 * belongs to this user and that nobody else can write to it. Root may also
 * reach the daemon of another user, but never start one for it. Returns 0 or
 * -errno: -ENOTDIR, -EPERM another's, -EACCES open to others or not writable.
 */
int runtime_dir_ensure(const char *path);

/* The address of the daemon's socket in a runtime directory. */
void runtime_dir_address(const char *path, struct sockaddr_un *address);

#endif /* LOCAL_RUNTIME_DIR_H */
