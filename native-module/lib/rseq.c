// SPDX-License-Identifier: Apache-2.0
#include "lib/rseq.h"

#include <stddef.h>

/* Of glibc 2.35 and later; older ones register nothing. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

#define RSEQ_SIGNATURE 0x53053053u /* of glibc on x86 */
#define RSEQ_SIZE_MIN  32u	   /* registered even if less is used */

void rseq_of_caller(uint64_t *address, uint32_t *size, uint32_t *signature)
{
	*address = 0;
	*size = *signature = 0;
	if (!&__rseq_size || !__rseq_size)
		return;
	*address = (uintptr_t)__builtin_thread_pointer() + __rseq_offset;
	*size = __rseq_size < RSEQ_SIZE_MIN ? RSEQ_SIZE_MIN : __rseq_size;
	*signature = RSEQ_SIGNATURE;
}
