/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MITOSIS_LIB_LIBC_DATA_H
#define MITOSIS_LIB_LIBC_DATA_H

#include <stddef.h>

/* Variables of newer C libraries; each is NULL in an older one. */
struct libc_data {
	const ptrdiff_t *rseq_offset;  /* from glibc 2.35 on */
	const unsigned int *rseq_size; /* from glibc 2.35 on */
	const char *single_threaded;   /* from glibc 2.32 on */
};

/*
 * Linked as it is built (lib/libc_data.c), or looked up at run time in what also runs
 * with older C libraries (glibc/libc_data.c). In both, a program's first threads may ask.
 */
const struct libc_data *libc_data(void);

#endif
