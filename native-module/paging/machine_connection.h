/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's end of a connection from another machine's pager: proto/wire.h
 * after WIRE_OPEN, which mitosisd has read. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_MACHINE_CONNECTION_H
#define PAGING_MACHINE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/page_source.h"

/* Answers WIRE_OPEN. False if the connection has to be closed. */
bool machine_connection_open(int fd, const struct descriptor_header *descriptor);

/*
 * Serves one request. `dropped`: the snapshot takes no further children. False
 * if the connection has to be closed.
 */
bool machine_connection_serve(int fd, struct page_source *source, uint64_t page_size,
			      bool dropped);

#endif /* PAGING_MACHINE_CONNECTION_H */
