/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a socket that its child's has as well. Runs in shadows: no libc, no globals. */
#ifndef LIB_SOCKET_OPTIONS_H
#define LIB_SOCKET_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"

/* Fills `options` with what the socket has, and returns their number. */
uint32_t socket_options_read(uint32_t fd, struct descriptor_socket_option *options);

/* Whether the socket has a filter, which cannot always be read. */
bool socket_has_filter(uint32_t fd);

/*
 * Gives a new socket those of `count` options at `data`, of any alignment, that differ. A
 * confined child gets what it could set itself. Returns 0, or -errno and the option's name in
 * *name, which is NULL else.
 */
int socket_options_give(int fd, const void *data, uint32_t count, bool confined,
			const char **name);

#endif /* LIB_SOCKET_OPTIONS_H */
