/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a snapshot's mappings, opened for a child. */
#ifndef LIB_MAPPING_FILES_H
#define LIB_MAPPING_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/confinement.h"
#include "proto/descriptor.h"

struct mapping_files {
	int32_t *
		of_vma; /* per VMA: its file, or -1: the pages come from the snapshot */
	int32_t *opened; /* each of them once */
	uint32_t count;	 /* of `opened` */
	bool copied;	 /* not all that are shared and written to are here */
};

/*
 * Opens them with the rights of the user that a confined child becomes; with
 * `by_module` the program's alone, as the kernel module opens what it maps. Returns 0 or
 * -errno, with a message about the snapshot `what`. What was opened is the caller's to
 * close, after a failure, too.
 */
int mapping_files_open(struct mapping_files *files, struct descriptor_header *d,
		       const struct mitosis_confinement *confinement, bool by_module,
		       const char *what);

/* Closes nothing. */
void mapping_files_free(struct mapping_files *files);

#endif /* LIB_MAPPING_FILES_H */
