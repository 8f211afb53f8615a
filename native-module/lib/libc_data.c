// SPDX-License-Identifier: Apache-2.0
#include "lib/libc_data.h"

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
extern char __libc_single_threaded __attribute__((weak));

const struct libc_data *libc_data(void)
{
	static const struct libc_data data = {
		.rseq_offset = &__rseq_offset,
		.rseq_size = &__rseq_size,
		.single_threaded = &__libc_single_threaded,
	};

	return &data;
}
