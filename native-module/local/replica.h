/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pager of a snapshot and its replica tell each other. A replica is a child
 * of that snapshot that runs none of its program: it forks the later children. See
 * PROTOCOL.md.
 */
#ifndef LOCAL_REPLICA_H
#define LOCAL_REPLICA_H

#include <stdint.h>

#include "local/protocol.h"

struct descriptor_header;

#define REPLICA_MAGIC 0x61636c7065724d54ull /* "TMreplca" in memory */

/* Of the program mitosis-replica, which becomes it: the numbers of its open files. */
#define REPLICA_STREAM	3 /* as of LOCAL_ATTACH */
#define REPLICA_CONTROL 4 /* SOCK_SEQPACKET socket to the pager */
#define REPLICA_LIFELINE                                                            \
	5 /* pipe whose other end the pager has open while it lives */

#define REPLICA_FILES 3

struct told_files;

/* What a process gets that has the memory of the snapshot, and becomes its replica. */
struct replica_start {
	uint64_t magic;	  /* REPLICA_MAGIC */
	uint32_t version; /* LOCAL_VERSION */
	uint32_t page_size;
	int32_t control, lifeline;
	const struct descriptor_header *descriptor;
	struct told_files
		*told; /* what its children say of their files: lib/told_files.h */
};

/*
 * pager -> replica: a SHADOW_CLONE with its open files, in one packet. Answered by a
 * struct shadow_answer: 0 with a pidfd of the child, which is a child of the pager, or
 * -errno. What cannot become a replica answers -errno, a message of `length` bytes follows, and
 * ends. There is one request at a time.
 */
struct replica_request {
	struct shadow_request request;
	int32_t numbers[SHADOW_CLONE_FILES_MAX];
};

struct replica_answer {
	struct shadow_answer answer;
	char message[SHADOW_CLONE_MESSAGE_MAX];
};

#endif /* LOCAL_REPLICA_H */
