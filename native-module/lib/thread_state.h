/* SPDX-License-Identifier: Apache-2.0 */
/* Going on as the thread that a descriptor holds. */
#ifndef LIB_THREAD_STATE_H
#define LIB_THREAD_STATE_H

#include <stddef.h>

#include "local/descriptor.h"

/* What a call preserves, then as if prepare had just returned 0. */
static inline void __attribute__((noreturn, always_inline))
thread_go_on(const struct descriptor_thread *t)
{
	__asm__ volatile("ldmxcsr %c[mxcsr](%[t])\n\t"
			 "fldcw %c[x87](%[t])\n\t"
			 "mov %c[rbx](%[t]), %%rbx\n\t"
			 "mov %c[rbp](%[t]), %%rbp\n\t"
			 "mov %c[r12](%[t]), %%r12\n\t"
			 "mov %c[r13](%[t]), %%r13\n\t"
			 "mov %c[r14](%[t]), %%r14\n\t"
			 "mov %c[r15](%[t]), %%r15\n\t"
			 "mov %c[rsp](%[t]), %%rsp\n\t"
			 "xor %%eax, %%eax\n\t"
			 "jmp *%c[rip](%[t])"
			 :
			 : [t] "D"(t),
			   [mxcsr] "i"(offsetof(struct descriptor_thread, mxcsr)),
			   [x87] "i"(offsetof(struct descriptor_thread, x87_control)),
			   [rbx] "i"(offsetof(struct descriptor_thread, rbx)),
			   [rbp] "i"(offsetof(struct descriptor_thread, rbp)),
			   [r12] "i"(offsetof(struct descriptor_thread, r12)),
			   [r13] "i"(offsetof(struct descriptor_thread, r13)),
			   [r14] "i"(offsetof(struct descriptor_thread, r14)),
			   [r15] "i"(offsetof(struct descriptor_thread, r15)),
			   [rsp] "i"(offsetof(struct descriptor_thread, rsp)),
			   [rip] "i"(offsetof(struct descriptor_thread, rip))
			 : "memory");
	__builtin_unreachable();
}

#endif /* LIB_THREAD_STATE_H */
