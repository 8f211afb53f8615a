/* SPDX-License-Identifier: Apache-2.0 */
/* Making a socket again; as lib/remake_file_kinds.h. */
#ifndef LIB_REMAKE_SOCKETS_H
#define LIB_REMAKE_SOCKETS_H

#include "lib/remade_files.h"

/* A socket; for one whose other end is not in the snapshot, one that has ended. */
int remake_socket(struct remade_files *files, uint32_t index);

#endif /* LIB_REMAKE_SOCKETS_H */
