/* SPDX-License-Identifier: Apache-2.0 */
/* The restartable-sequence area that the C library registered. */
#ifndef LIB_RSEQ_H
#define LIB_RSEQ_H

#include <stdint.h>

/* Address, size and signature as registered for this thread; 0 if none is. */
void rseq_of_caller(uint64_t *address, uint32_t *size, uint32_t *signature);

#endif /* LIB_RSEQ_H */
