/* SPDX-License-Identifier: Apache-2.0 */
/* What an open file holds, by its kind; as lib/described_files.h. */
#ifndef LIB_DESCRIBE_FILE_KINDS_H
#define LIB_DESCRIBE_FILE_KINDS_H

#include <sys/stat.h>

#include "lib/cursor.h"
#include "lib/described_files.h"

struct open_file {
	struct descriptor_fd *fd;
	const char *path;
	struct stat st;
};

/* Fills the record of an open file that shares its state with none before it. */
void describe_file_kind(struct described_files *files, struct open_file *f);

/* The id of an eventfd; 0: not known, as before Linux 5.13. */
uint64_t described_event_id(struct described_files *files, uint32_t number);

#endif /* LIB_DESCRIBE_FILE_KINDS_H */
