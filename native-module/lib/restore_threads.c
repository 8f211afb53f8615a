// SPDX-License-Identifier: Apache-2.0
/* The threads of a child. Part of the restorer, as restore.c. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "lib/restore.h"
#include "lib/restorer.h"
#include "paging/raw_syscall.h"

#define THREAD_FLAGS                                                                \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |         \
	 CLONE_SYSVSEM | CLONE_SETTLS | CLONE_CHILD_CLEARTID)

INLINE struct clone_args thread_arguments(const int32_t *tid, uint64_t fs_base,
					  uint64_t tid_address, uint64_t stack,
					  uint64_t stack_size)
{
	return (struct clone_args){
		.flags = THREAD_FLAGS,
		.child_tid = tid_address,
		.stack = stack,
		.stack_size = stack_size,
		.tls = fs_base,
		.set_tid = (uintptr_t)tid,
		.set_tid_size = 1,
	};
}

/* The number that a macro stands for, as text for the assembler. */
#define LITERAL(macro)	LITERAL_(macro)
#define LITERAL_(value) #value

#define IN_THREAD(field) "i"(offsetof(struct descriptor_stopped_thread, field))
#define IN_PLAN(field)	 "i"(offsetof(struct restore_plan, field))

/* It would indent each line of the assembler by the one before. */
/* clang-format off */
#define CALL(number) "mov $" LITERAL(number) ", %%eax\n\tsyscall\n\t"

/*
 * Makes a thread that was stopped. It has no stack until rt_sigreturn(2) gives it back what
 * its signal frame holds. r12 is its record, r13 the plan.
 */
INLINE void make_stopped_thread(struct restore_plan *plan,
				const struct descriptor_stopped_thread *t)
{
	struct clone_args args = thread_arguments(
		&t->tid, t->fs_base, t->tid_address, t->frame - 4096, 4096);
	register const struct descriptor_stopped_thread *r12 __asm__("r12") = t;
	register struct restore_plan *r13 __asm__("r13") = plan;
	long result;

	__asm__ volatile(
		"syscall\n\t"
		"test %%rax, %%rax\n\t"
		"jnz 9f\n\t"

		/* The record is unmapped before they are needed. */
		"mov %c[rseq](%%r12), %%rbx\n\t"
		"mov %c[rseq_size](%%r12), %%r14d\n\t"
		"mov %c[rseq_signature](%%r12), %%r15d\n\t"

		"mov %c[robust](%%r12), %%rdi\n\t"
		"mov %c[robust_size](%%r12), %%rsi\n\t"
		CALL(SYS_set_robust_list)

		"mov %c[gs](%%r12), %%rsi\n\t"
		"test %%rsi, %%rsi\n\t"
		"jz 2f\n\t"
		"mov $" LITERAL(ARCH_SET_GS) ", %%edi\n\t"
		CALL(SYS_arch_prctl)

		"2:\n\t"
		"lea %c[name](%%r12), %%rsi\n\t"
		"mov $" LITERAL(PR_SET_NAME) ", %%edi\n\t"
		CALL(SYS_prctl)

		"cmpq $0, %c[cpus](%%r12)\n\t"
		"jz 3f\n\t"
		"xor %%edi, %%edi\n\t"
		"mov $8, %%esi\n\t"
		"lea %c[cpus](%%r12), %%rdx\n\t"
		CALL(SYS_sched_setaffinity)

		/* It must not go on with more rights than its parent had. */
		"3:\n\t"
		"cmpb $0, %c[drops](%%r13)\n\t"
		"jz 4f\n\t"
		"lea %c[cap_header](%%r13), %%rdi\n\t"
		"lea %c[cap_data](%%r13), %%rsi\n\t"
		CALL(SYS_capset)
		"test %%rax, %%rax\n\t"
		"jz 4f\n\t"
		"mov $" LITERAL(RESTORE_FAILED_STATUS) ", %%edi\n\t"
		CALL(SYS_exit_group)

		/* The last one wakes the thread that waits for all. */
		"4:\n\t"
		"lock decl %c[awaited](%%r13)\n\t"
		"jnz 5f\n\t"
		"lea %c[awaited](%%r13), %%rdi\n\t"
		"mov $" LITERAL(FUTEX_WAKE_PRIVATE) ", %%esi\n\t"
		"mov $1, %%edx\n\t"
		CALL(SYS_futex)

		"5:\n\t"
		"cmpl $0, %c[go](%%r13)\n\t"
		"jnz 6f\n\t"
		"lea %c[go](%%r13), %%rdi\n\t"
		"mov $" LITERAL(FUTEX_WAIT_PRIVATE) ", %%esi\n\t"
		"xor %%edx, %%edx\n\t"
		"xor %%r10d, %%r10d\n\t"
		CALL(SYS_futex)
		"jmp 5b\n\t"

		/*
		 * Last: what the program has written there may make the kernel continue at an
		 * address of its choice as soon as the thread is preempted.
		 */
		"6:\n\t"
		"test %%rbx, %%rbx\n\t"
		"jz 7f\n\t"
		"mov %%rbx, %%rdi\n\t"
		"mov %%r14d, %%esi\n\t"
		"xor %%edx, %%edx\n\t"
		"mov %%r15d, %%r10d\n\t"
		CALL(SYS_rseq)

		"7:\n\t"
		CALL(SYS_rt_sigreturn)
		"hlt\n"
		"9:"
		: "=a"(result)
		: "a"((long)SYS_clone3), "D"(&args), "S"(sizeof(args)), "m"(args),
		  "r"(r12), "r"(r13),
		  [rseq] IN_THREAD(rseq_address),
		  [rseq_size] IN_THREAD(rseq_size),
		  [rseq_signature] IN_THREAD(rseq_signature),
		  [robust] IN_THREAD(robust_list),
		  [robust_size] IN_THREAD(robust_list_size),
		  [gs] IN_THREAD(gs_base),
		  [name] IN_THREAD(name),
		  [cpus] IN_THREAD(cpus),
		  [drops] IN_PLAN(drops_capabilities),
		  [cap_header] IN_PLAN(capabilities.header),
		  [cap_data] IN_PLAN(capabilities.data),
		  [awaited] IN_PLAN(awaited_threads),
		  [go] IN_PLAN(go)
		: "rcx", "rdx", "r8", "r10", "r11", "memory", "cc");
	if (result < 0)
		give_up_at(TEXT("make thread"), 0, t->tid, 0, result);
}
/* clang-format on */

/* Bytes into a ucontext, where the kernel has put these registers. */
#define UCONTEXT_RDI 104
#define UCONTEXT_RSI 112
#define UCONTEXT_RAX 144
/* Later than some headers. */
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

INLINE uint64_t register_of(const struct descriptor_stopped_thread *t, int offset)
{
	return *(const volatile uint64_t *)(t->frame + offset);
}

/*
 * Fetches the word of a mutex with priority inheritance that a thread waits for. The kernel asks no
 * userfaultfd for it: the call, which begins again, would end with EFAULT.
 */
INLINE void fetch_awaited_word(const struct descriptor_header *d,
			       const struct descriptor_stopped_thread *t)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint64_t operation = register_of(t, UCONTEXT_RSI) & FUTEX_CMD_MASK;
	uint64_t address = register_of(t, UCONTEXT_RDI);
	uint32_t i;

	if (register_of(t, UCONTEXT_RAX) != SYS_futex ||
	    (operation != FUTEX_LOCK_PI && operation != FUTEX_LOCK_PI2))
		return;
	for (i = 0; i < d->vma_count; i++)
		if (address >= vmas[i].start && address < vmas[i].end &&
		    vmas[i].protection & PROT_WRITE)
			*(const volatile uint32_t *)address;
}

INLINE void drop_capabilities(struct restore_plan *plan)
{
	long err = !plan->drops_capabilities
			   ? 0
			   : raw_syscall(SYS_capset, &plan->capabilities.header,
					 plan->capabilities.data);

	if (err)
		give_up(TEXT("drop capabilities"), err);
}

/* All threads are made, none has a capability, and none runs the program yet. */
INLINE void set_filter(const struct restore_plan *plan)
{
	struct sock_fprog filter;
	long err;

	if (!plan->filter_length)
		return;
	filter.len = plan->filter_length;
	filter.filter = (struct sock_filter *)plan->filter;
	/* It returns the id of a thread that cannot have it. */
	err = raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_TSYNC, &filter);
	if (err)
		give_up(TEXT("set a filter of system calls"),
			err < 0 ? err : -ESRCH);
}

/* Waits until all other threads have set themselves up, then until all may go on. */
INLINE void await_threads(struct restore_plan *plan)
{
	uint32_t awaited;

	while ((awaited = __atomic_load_n(&plan->awaited_threads, __ATOMIC_SEQ_CST)))
		raw_syscall(SYS_futex, &plan->awaited_threads, FUTEX_WAIT_PRIVATE,
			    awaited, 0, 0, 0);
	note_time(&plan->times.go_ns);
	set_filter(plan);
	restorer_unmap_rest(plan);
	__atomic_store_n(&plan->go, 1, __ATOMIC_SEQ_CST);
	raw_syscall(SYS_futex, &plan->go, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

/* The caller of prepare, where it was not the first thread of its process. */
RESTORER static void __attribute__((noreturn, used))
caller_thread(struct restore_plan *plan)
{
	restorer_become_caller(plan);
	drop_capabilities(plan);
	if (!__atomic_sub_fetch(&plan->awaited_threads, 1, __ATOMIC_SEQ_CST))
		raw_syscall(SYS_futex, &plan->awaited_threads, FUTEX_WAKE_PRIVATE, 1,
			    0, 0, 0);
	while (!__atomic_load_n(&plan->go, __ATOMIC_SEQ_CST))
		raw_syscall(SYS_futex, &plan->go, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
	restorer_go_on(plan);
}

INLINE void make_caller(struct restore_plan *plan)
{
	const struct descriptor_thread *t = &plan->thread;
	struct clone_args args =
		thread_arguments(&t->tid, t->fs_base, t->tid_address,
				 (uintptr_t)plan->caller_stack,
				 sizeof(plan->caller_stack));
	register void *r12 __asm__("r12") = (void *)caller_thread;
	register struct restore_plan *r13 __asm__("r13") = plan;
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_clone3), "D"(&args), "S"(sizeof(args)),
			   "m"(args), "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory", "cc");
	if (result < 0)
		give_up_at(TEXT("make thread"), 0, t->tid, 0, result);
}

/* This thread becomes the process's first one, which was stopped. */
INLINE void __attribute__((noreturn))
become_stopped(struct restore_plan *plan, const struct descriptor_stopped_thread *t)
{
	uint64_t frame = t->frame, rseq = t->rseq_address;
	uint32_t rseq_size = t->rseq_size, rseq_signature = t->rseq_signature;

	raw_syscall(SYS_arch_prctl, ARCH_SET_FS, t->fs_base);
	raw_syscall(SYS_arch_prctl, ARCH_SET_GS, t->gs_base);
	raw_syscall(SYS_set_tid_address, t->tid_address);
	raw_syscall(SYS_set_robust_list, t->robust_list, t->robust_list_size);
	raw_syscall(SYS_prctl, PR_SET_NAME, t->name, 0, 0, 0);
	if (t->cpus)
		raw_syscall(SYS_sched_setaffinity, 0, sizeof(t->cpus), &t->cpus);
	drop_capabilities(plan);
	await_threads(plan);
	/* As the others: see make_stopped_thread(). */
	if (rseq)
		raw_syscall(SYS_rseq, rseq, rseq_size, 0, rseq_signature);
	__asm__ volatile("mov %[frame], %%rsp\n\t"
			 "syscall\n\t"
			 "hlt"
			 :
			 : [frame] "r"(frame), "a"((long)SYS_rt_sigreturn)
			 : "memory");
	__builtin_unreachable();
}

RESTORER void restorer_go_on_with_threads(struct restore_plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const struct descriptor_stopped_thread *threads =
		descriptor_stopped_threads(d);
	const struct descriptor_stopped_thread *first = NULL;
	uint32_t i;

	for (i = 0; i < d->thread_count - 1; i++)
		fetch_awaited_word(d, &threads[i]);
	for (i = 0; i < d->thread_count - 1; i++) {
		if (threads[i].tid == d->process)
			first = &threads[i];
		else
			make_stopped_thread(plan, &threads[i]);
	}
	if (!first && !(d->flags & DESCRIPTOR_LEADER_ENDED)) {
		restorer_become_caller(plan);
		drop_capabilities(plan);
		await_threads(plan);
		restorer_go_on(plan);
	}
	make_caller(plan);
	if (first)
		become_stopped(plan, first);
	drop_capabilities(plan);
	await_threads(plan);
	for (;;)
		raw_syscall(SYS_exit, 0);
}
