/* SPDX-License-Identifier: Apache-2.0 */
/* Going on as the thread that a descriptor holds. */
#ifndef LIB_THREAD_STATE_H
#define LIB_THREAD_STATE_H

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "lib/resume_times.h"
#include "proto/descriptor.h"

/*
 * Has the first function of a child be told of these, as its arguments: see
 * resume_hooks_divert(). Only where prepare is a call, which does not preserve them.
 * `times` is where the child has them, or NULL.
 */
static inline void thread_tell(struct descriptor_thread *t, uint64_t number,
			       uint32_t machine_id, const struct resume_times *times)
{
	t->rdi = number;
	t->rsi = machine_id;
	t->rdx = (uintptr_t)times;
}

/*
 * Loads all registers but those that `syscall` and a call clobber, and returns 0
 * from prepare. Signals are unblocked on the thread's own stack: the frames of several that are pending,
 * each with the extended state, have no room on that of a restorer.
 */
static inline void __attribute__((noreturn, always_inline))
thread_go_on(const struct descriptor_thread *t)
{
	__asm__ volatile(
		"ldmxcsr %c[mxcsr](%[t])\n\t"
		"fldcw %c[x87](%[t])\n\t"
		"mov %c[rbx](%[t]), %%rbx\n\t"
		"mov %c[rbp](%[t]), %%rbp\n\t"
		"mov %c[r12](%[t]), %%r12\n\t"
		"mov %c[r13](%[t]), %%r13\n\t"
		"mov %c[r14](%[t]), %%r14\n\t"
		"mov %c[r15](%[t]), %%r15\n\t"
		"mov %c[rsp](%[t]), %%rsp\n\t"
		"mov %[t], %%r9\n\t"
		"lea %c[mask](%[t]), %%rsi\n\t"
		"mov %[set_mask], %%edi\n\t"
		"xor %%edx, %%edx\n\t"
		"mov %[mask_size], %%r10d\n\t"
		"mov %[set_signals], %%eax\n\t"
		"syscall\n\t"
		"mov %%r9, %[t]\n\t"
		"mov %c[rsi](%[t]), %%rsi\n\t"
		"mov %c[rdx](%[t]), %%rdx\n\t"
		"mov %c[r8](%[t]), %%r8\n\t"
		"mov %c[r9](%[t]), %%r9\n\t"
		"mov %c[r10](%[t]), %%r10\n\t"
		"mov %c[rip](%[t]), %%r11\n\t"
		"mov %c[rdi](%[t]), %%rdi\n\t"
		"xor %%eax, %%eax\n\t"
		"jmp *%%r11"
		:
		: [t] "D"(t), [mxcsr] "i"(offsetof(struct descriptor_thread, mxcsr)),
		  [x87] "i"(offsetof(struct descriptor_thread, x87_control)),
		  [rbx] "i"(offsetof(struct descriptor_thread, rbx)),
		  [rbp] "i"(offsetof(struct descriptor_thread, rbp)),
		  [r12] "i"(offsetof(struct descriptor_thread, r12)),
		  [r13] "i"(offsetof(struct descriptor_thread, r13)),
		  [r14] "i"(offsetof(struct descriptor_thread, r14)),
		  [r15] "i"(offsetof(struct descriptor_thread, r15)),
		  [rsp] "i"(offsetof(struct descriptor_thread, rsp)),
		  [rsi] "i"(offsetof(struct descriptor_thread, rsi)),
		  [rdx] "i"(offsetof(struct descriptor_thread, rdx)),
		  [r8] "i"(offsetof(struct descriptor_thread, r8)),
		  [r9] "i"(offsetof(struct descriptor_thread, r9)),
		  [r10] "i"(offsetof(struct descriptor_thread, r10)),
		  [rdi] "i"(offsetof(struct descriptor_thread, rdi)),
		  [rip] "i"(offsetof(struct descriptor_thread, rip)),
		  [mask] "i"(offsetof(struct descriptor_thread, signal_mask)),
		  [mask_size] "i"(sizeof(t->signal_mask)),
		  [set_mask] "i"(SIG_SETMASK), [set_signals] "i"(SYS_rt_sigprocmask)
		: "memory");
	__builtin_unreachable();
}

#endif /* LIB_THREAD_STATE_H */
