// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/shadow_process.h"

#include <linux/sched.h>
#include <linux/futex.h>
#include <sys/mman.h>

#include "paging/raw_syscall.h"

long shadow_process_fork(char *stack_end, void (*entry)(void *), void *argument,
			 uint64_t flags, int *pidfd, void *tid)
{
	register void *r12 __asm__("r12") = (void *)entry;
	register void *r13 __asm__("r13") = argument;
	register void *r10 __asm__("r10") = tid;
	register long r8 __asm__("r8") = 0;
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
			 : "a"((long)SYS_clone), "D"(flags), "S"(stack_end),
			   "d"(pidfd), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory", "cc");
	return result;
}

long shadow_process_fork_by(char *stack_end, void (*entry)(void *), void *argument,
			    const struct clone_args *args)
{
	register void *r12 __asm__("r12") = (void *)entry;
	register void *r13 __asm__("r13") = argument;
	register char *r14 __asm__("r14") = stack_end;
	long result;

	/* Without a stack of its own the call copies this one: it is left at once. */
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %%r14, %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)),
			   "r"(r12), "r"(r13), "r"(r14)
			 : "rcx", "r11", "memory", "cc");
	return result;
}

void *shadow_process_map(size_t size)
{
	long p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_PROCESS), size,
			     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);

	return p < 0 && p > -4096 ? NULL : (void *)p;
}

void shadow_process_close_from(long fd)
{
	if (raw_syscall(SYS_close_range, fd, ~0u, 0) == 0)
		return;
	/* Kernels before 5.9, or a seccomp filter that does not know the call. */
	for (; fd < 65536; fd++)
		raw_syscall(SYS_close, fd);
}

void shadow_process_exit(void)
{
	for (;;)
		raw_syscall(SYS_exit_group, 0);
}

void shadow_process_tell(struct shadow_arena *arena, enum shadow_outcome outcome,
			 int error)
{
	arena->error = error;
	arena->outcome = outcome;
	if (arena->awaited)
		raw_syscall(SYS_futex, &arena->outcome, FUTEX_WAKE, 1, 0, 0, 0);
}
