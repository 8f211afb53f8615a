/* SPDX-License-Identifier: Apache-2.0 */
/* Where a process is, which its forks have of it. */
#ifndef DAEMON_SURROUNDINGS_H
#define DAEMON_SURROUNDINGS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Whether two processes have the same namespaces and root directory. False also if this
 * mitosisd may not see those of one, or it has ended.
 */
bool surroundings_same(const struct ucred *one, const struct ucred *other);

#endif /* DAEMON_SURROUNDINGS_H */
