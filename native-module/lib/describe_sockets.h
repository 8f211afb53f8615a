/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets among the open files of a process; as lib/described_files.h. */
#ifndef LIB_DESCRIBE_SOCKETS_H
#define LIB_DESCRIBE_SOCKETS_H

#include "lib/described_files.h"

/* Fills the record of a socket; pairs are told by describe_socket_pairs(). */
void describe_socket(struct described_files *files, struct descriptor_fd *fd);

/* Finds Unix sockets whose other end is an open file of this process, too. */
void describe_socket_pairs(struct described_files *files);

#endif /* LIB_DESCRIBE_SOCKETS_H */
