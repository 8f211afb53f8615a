/* SPDX-License-Identifier: Apache-2.0 */
/* What an open file holds, by its kind; as lib/described_files.h. */
#ifndef LIB_DESCRIBE_FILE_KINDS_H
#define LIB_DESCRIBE_FILE_KINDS_H

#include <sys/stat.h>

#include "lib/described_files.h"

#define NAME_SIZE 64u

struct open_file {
	struct descriptor_fd *fd;
	const char *path;
	struct stat st;
};

/* Fills the record of an open file that shares its state with none before it. */
void describe_file_kind(struct described_files *files, struct open_file *f);

/* Writes "DIRECTORY/NUMBER". */
static inline void name_file(char name[NAME_SIZE], const char *directory,
			     uint32_t number)
{
	char digits[16];
	uint32_t at = 0, n = 0;

	while (*directory)
		name[at++] = *directory++;
	do
		digits[n++] = '0' + number % 10;
	while (number /= 10);
	while (n)
		name[at++] = digits[--n];
	name[at] = '\0';
}

static inline bool is_text(const char *text, const char *other)
{
	while (*text && *text == *other) {
		text++;
		other++;
	}
	return *text == *other;
}

#endif /* LIB_DESCRIBE_FILE_KINDS_H */
