// SPDX-License-Identifier: Apache-2.0
#include "lib/rseq.h"

#include "lib/libc_data.h"

#define RSEQ_SIGNATURE 0x53053053u /* of glibc on x86 */
#define RSEQ_SIZE_MIN  32u	   /* registered even if less is used */

void rseq_of_caller(uint64_t *address, uint32_t *size, uint32_t *signature)
{
	const struct libc_data *libc = libc_data();

	*address = 0;
	*size = *signature = 0;
	/* Older C libraries register nothing. */
	if (!libc->rseq_size || !libc->rseq_offset || !*libc->rseq_size)
		return;
	*address = (uintptr_t)__builtin_thread_pointer() + *libc->rseq_offset;
	*size = *libc->rseq_size < RSEQ_SIZE_MIN ? RSEQ_SIZE_MIN : *libc->rseq_size;
	*signature = RSEQ_SIGNATURE;
}
