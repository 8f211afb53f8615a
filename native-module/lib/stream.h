/* SPDX-License-Identifier: Apache-2.0 */
/* A device's or child's end of a stream to a shadow. */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "local/protocol.h"

/*
 * Sends a request and reads its answer. Returns 0 with the number of bytes
 * that follow, or -errno: the answer's status, -ECONNRESET, -ETIMEDOUT.
 */
int stream_request(int stream, const struct shadow_request *request,
		   uint32_t *length);

/* Reads exactly that many bytes. Returns 0, -ECONNRESET or -ETIMEDOUT. */
int stream_receive(int stream, void *buffer, size_t length);

/*
 * Reads memory of the snapshot, at most SHADOW_READ_MAX bytes. Returns 0, or -errno as
 * both of these, or -EFAULT where the snapshot has no memory.
 */
int stream_read(int stream, uint64_t address, void *buffer, uint32_t length);

#endif /* LIB_STREAM_H */
