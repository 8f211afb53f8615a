/* SPDX-License-Identifier: Apache-2.0 */
/* The open files of a parent while they are made again for one child. */
#ifndef LIB_REMADE_FILES_H
#define LIB_REMADE_FILES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "proto/descriptor.h"

struct path_map;

/* The most bytes of a file that MITOSIS_FILES_PRIVATE copies. */
#define FILES_PRIVATE_MAX (64ull << 20)

/* What of open(2)'s flags a file keeps; the others only have to do with its creation. */
#define FILES_KEPT_FLAGS                                                            \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_PATH |        \
	 O_DIRECTORY | O_SYNC | O_DSYNC)

/* What there is to make, and where it has been put meanwhile. */
struct remade_files {
	const struct descriptor_header *descriptor;
	const struct descriptor_fd *fds;
	uint32_t count;	 /* 0: the parent had none */
	int32_t *at;	 /* of each: its number for now; -1 is not made */
	bool *placed;	 /* whether it goes to the parent's number */
	uint32_t floor;	 /* numbers below are the parent's */
	uint32_t policy; /* enum mitosis_files */
	uint32_t own;	 /* MITOSIS_OWN_* */
	const struct path_map *paths; /* where files are that have another path */
	bool confined;
	int maker_fds;	     /* as in struct restore_plan: see clone_late_files.h */
	struct rlimit limit; /* of the caller */
	const char *what;    /* for messages */
};

/* fail() with what the file is in front of the reason. */
int remake_failed(const struct remade_files *files, const struct descriptor_fd *fd,
		  int err, const char *reason);

#endif /* LIB_REMADE_FILES_H */
