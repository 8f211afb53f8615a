// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows, too: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/file_contents.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/cursor.h"
#include "paging/raw_syscall.h"

#define DIGEST_WINDOW (16u << 10)

void file_build_id(int fd, uint64_t at, char text[BUILD_ID_TEXT])
{
	char window[BUILD_ID_WINDOW] __attribute__((aligned(8)));
	long n = raw_syscall(SYS_pread64, fd, window, sizeof(window), at);

	build_id_find(window, n > 0 ? n : 0, text);
}

bool file_digest(int fd, uint64_t *left, char text[FILE_CONTENTS_TEXT])
{
	char window[DIGEST_WINDOW];
	uint8_t digest[SHA256_SIZE];
	struct sha256 h;
	struct stat st;
	uint64_t at = 0;
	long n;

	if (raw_syscall(SYS_fstat, fd, &st) || (uint64_t)st.st_size > *left)
		return false;
	sha256_init_bulk(&h);
	/* It may grow meanwhile. */
	do {
		n = raw_syscall(SYS_pread64, fd, window, sizeof(window), at);
		if (n > 0 && (uint64_t)n > *left)
			return false;
		if (n > 0) {
			sha256_update(&h, window, n);
			at += n;
			*left -= n;
		}
	} while (n > 0 || n == -EINTR);
	sha256_final(&h, digest);
	build_id_hex(digest, sizeof(digest), text);
	return n == 0;
}

static const char unread[] = "too many bytes, or none that can be read";

void file_contents_compare(const struct descriptor_header *d,
			   const struct descriptor_vma *vma, int fd, uint64_t *left,
			   struct file_difference *difference)
{
	difference->by = NULL;
	difference->here[0] = '\0';
	difference->parents = descriptor_string(d, vma->build_id);
	if (*difference->parents) {
		file_build_id(fd, 0, difference->here);
		if (!is_text(difference->here, difference->parents)) {
			difference->by = "build-id";
			return;
		}
	}
	difference->parents = descriptor_string(d, vma->digest);
	if (!*difference->parents)
		return;
	if (!file_digest(fd, left, difference->here))
		__builtin_memcpy(difference->here, unread, sizeof(unread));
	if (!is_text(difference->here, difference->parents))
		difference->by = "SHA-256";
}
