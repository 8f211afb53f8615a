/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells two contents of a mapped file apart where device, inode, size and times are the
 * same: its build-id and, if that was asked for, its digest. No C library.
 */
#ifndef LIB_FILE_CONTENTS_H
#define LIB_FILE_CONTENTS_H

#include <stdbool.h>

#include "proto/build_id.h"
#include "proto/descriptor.h"
#include "proto/user/sha256.h"

/* Room for a digest, too. */
#define FILE_CONTENTS_TEXT (2 * SHA256_SIZE + 1)

/*
 * The build-id of the ELF file that begins there in an open file: at 0, or in /proc/self/mem
 * where it is mapped. "" if it has none.
 */
void file_build_id(int fd, uint64_t at, char text[BUILD_ID_TEXT]);

/*
 * Limit on the bytes of files that prepare, and each resume, reads for the digests of one snapshot:
 * a hostile descriptor could name all files of a machine, and files without an end.
 */
#define FILE_DIGEST_BYTES_MAX (4ull << 30)

/*
 * The SHA-256 of all that an open file has. False if it cannot be read, or is more than *left
 * bytes, from which it is taken.
 */
bool file_digest(int fd, uint64_t *left, char text[FILE_CONTENTS_TEXT]);

/* How a file differs from what a parent has mapped. */
struct file_difference {
	const char *by; /* what tells; NULL: nothing */
	const char *parents;
	char here[FILE_CONTENTS_TEXT];
};

/* Compares an open file with what the descriptor says of the VMA's. `left` as above. */
void file_contents_compare(const struct descriptor_header *d,
			   const struct descriptor_vma *vma, int fd, uint64_t *left,
			   struct file_difference *difference);

#endif /* LIB_FILE_CONTENTS_H */
