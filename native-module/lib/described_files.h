/* SPDX-License-Identifier: Apache-2.0 */
/* The open files of a process while its shadow describes them: no libc, no globals. */
#ifndef LIB_DESCRIBED_FILES_H
#define LIB_DESCRIBED_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"

struct restore_plan;

/* Bytes of the text of /proc/self/fdinfo that are read. */
#define FILES_TEXT_SIZE (1u << 20)

/* By which most open files are known to be different ones. */
struct file_key {
	uint64_t device, inode;
	uint64_t
		event; /* of an eventfd, whose inode is that of all: its id; else 0 */
	uint64_t number;
};

/* In a mapping of their own; all 0 where there are none. */
struct described_files {
	char *map;
	uint64_t map_size;
	struct descriptor_fd *fds;
	uint32_t count, capacity;
	uint32_t strings_size;
	char *strings;
	char *data;
	uint64_t data_size;
	/* Needed while they are described. */
	char *text; /* of fdinfo */
	uint32_t
		informed_of; /* the number of the file whose text it is; 0: of none */
	long directory;	     /* /proc/self/fd */
	struct file_key *keys; /* of fds, and of the standard files */
	struct file_key standard[DESCRIPTOR_FD_FIRST];
	long process;	 /* its id */
	uint32_t *order; /* indices by key and kcmp(2): one for each open file */
	uint32_t order_count;
	const struct restore_plan *plan; /* by which this process became a child */
	bool kcmp_fails;
	bool deaf_uffd; /* one is open that is not told of forks: lib/foreign_uffd.h */
};

/* Frees the mapping. */
void described_files_free(struct described_files *files);

/* Room for `size` more bytes of a file, or NULL. */
char *described_files_room(struct described_files *files, struct descriptor_fd *fd,
			   uint64_t size);

/* The file cannot be made again. */
void described_file_refuse(struct descriptor_fd *fd, enum descriptor_fd_refusal why);

#endif /* LIB_DESCRIBED_FILES_H */
