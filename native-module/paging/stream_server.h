/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's end of a stream (local/protocol.h): answers, and the requests
 * that need nothing but the page source. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_STREAM_SERVER_H
#define PAGING_STREAM_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/page_source.h"
#include "paging/raw_message.h"

/* Sends an answer; `length` bytes follow it. False if the stream has to be closed. */
bool stream_answer(int stream, int status, uint32_t length);

/* SHADOW_DESCRIPTOR. False if the stream has to be closed. */
bool stream_send_descriptor(int stream, const struct page_source *source);

/* SHADOW_READ. False if the stream has to be closed. */
bool stream_send_memory(int stream, struct page_source *source, uint64_t address,
			uint64_t length);

/*
 * LOCAL_PORTER: the porter reads the snapshot's memory itself, so it is no client. Sends it
 * this process's file of it, which is of no use once this process has ended, and closes
 * the stream.
 */
void stream_lend_memory(int stream, const struct page_source *source);

/*
 * The rest of SHADOW_CLONE. Returns 0, -EINVAL, or -ECONNRESET if the stream has to be
 * closed.
 */
long stream_receive_clone(int stream, const struct shadow_request *request,
			  const int passed[PASSED_FDS_MAX],
			  struct clone_request *clone);

/*
 * SHADOW_CLONE: forks the child. *pidfd is the child's, or -1 if a status has
 * been sent instead. False if the stream has to be closed.
 */
bool stream_start_clone(int stream, struct page_source *source,
			const struct shadow_request *request,
			const int passed[PASSED_FDS_MAX], int *pidfd);

/* The child behind `pidfd` has ended: closes that and sends the wait status. */
void stream_end_clone(int stream, int pidfd);

#endif /* PAGING_STREAM_SERVER_H */
