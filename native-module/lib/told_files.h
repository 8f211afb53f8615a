/* SPDX-License-Identifier: Apache-2.0 */
/* What of the parent's open files a child has in another state, without that being an error. */
#ifndef LIB_TOLD_FILES_H
#define LIB_TOLD_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"

enum told_difference {
	TOLD_NOTHING,
	TOLD_LOCK,
	TOLD_WATCHES,
	TOLD_PEER,
	TOLD_DIFFERENCES,
};

/* More are only counted. */
#define TOLD_FILES_MAX 16

struct told_files {
	uint32_t count;
	struct {
		uint32_t number;
		uint32_t difference; /* enum told_difference */
	} files[TOLD_FILES_MAX];
};

enum told_difference told_difference(const struct descriptor_fd *fd);

/* "has no lock of its parent", say; what a text of the file's number continues with. */
const char *told_text(enum told_difference difference);

/* Adds what is to be told of file `i` of a descriptor, if anything. No C library. */
void told_files_add(struct told_files *told, const struct descriptor_fd *fds,
		    uint32_t i);

#endif /* LIB_TOLD_FILES_H */
