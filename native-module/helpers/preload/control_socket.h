/* SPDX-License-Identifier: Apache-2.0 */
/* The socket at which a preloaded program takes requests. */
#ifndef PRELOAD_CONTROL_SOCKET_H
#define PRELOAD_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/un.h>

/* Returns 0, or -errno: -EINVAL it is not absolute, -ENAMETOOLONG. */
int control_socket_address(const char *path, struct sockaddr_un *address);

/*
 * Returns a socket that listens at the address, for this user and root, or -errno:
 * -EADDRINUSE another process listens there, -EEXIST what is there is no socket.
 */
int control_socket_listen(const struct sockaddr_un *address);

/* Whether the process at the other end may prepare this one. */
bool control_socket_may_ask(int connection);

#endif /* PRELOAD_CONTROL_SOCKET_H */
