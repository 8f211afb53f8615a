/* SPDX-License-Identifier: Apache-2.0 */
/* A file of /proc, whole; in shadows too: no libc, no globals. */
#ifndef LIB_PROC_TEXT_H
#define LIB_PROC_TEXT_H

#include <stdint.h>

struct proc_text {
	char *start;
	uint64_t size; /* room, with the end */
};

/* Returns 0 or -errno; -E2BIG: more than there is room for. */
int proc_text_read(const char *path, struct proc_text *text);

#endif /* LIB_PROC_TEXT_H */
