// SPDX-License-Identifier: Apache-2.0
/*
 * Prepare in a signal handler, on the alternate stack, amid a computation: a child returns
 * from the handler to where the signal came, with the vector registers of that place.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

#define STACK_SIZE (256 * 1024)
#define LANES	   4

static volatile sig_atomic_t handled, on_stack;
static char *stack;

static void handle(int signal)
{
	char here;

	(void)signal;
	on_stack += &here >= stack && &here < stack + STACK_SIZE;
	if (!handled++)
		target_prepare();
}

/* Raises SIGUSR2 with the values in the upper and lower half of a vector register. */
static void __attribute__((target("avx")))
raise_with_live_vector(const double in[LANES], double out[LANES])
{
	long result;

	__asm__ volatile("vmovupd (%[in]), %%ymm13\n\t"
			 "syscall\n\t"
			 "vmovupd %%ymm13, (%[out])"
			 : "=a"(result)
			 : "a"((long)SYS_tgkill), "D"((long)getpid()),
			   "S"((long)gettid()),
			   "d"((long)SIGUSR2), [in] "r"(in), [out] "r"(out)
			 : "rcx", "r11", "memory", "xmm13");
	CHECK_EQ(result, 0);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_ONSTACK };
	const double in[LANES] = { 1.5, -2, 3, 4.25 };
	double out[LANES] = { 0 };
	stack_t alternate = { .ss_size = STACK_SIZE }, now;
	sigset_t mask;

	if (!__builtin_cpu_supports("avx"))
		target_skip("a CPU with AVX");
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stack != MAP_FAILED);
	alternate.ss_sp = stack;
	CHECK(!sigaltstack(&alternate, NULL));
	CHECK(!sigaction(SIGUSR2, &action, NULL));
	raise_with_live_vector(in, out);

	CHECK_EQ(handled, 1);
	CHECK(!memcmp(in, out, sizeof(in)));
	CHECK(!sigaltstack(NULL, &now));
	CHECK(now.ss_sp == stack && now.ss_size == STACK_SIZE && !now.ss_flags);
	/* The handler's return has unblocked its signal. */
	CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
	CHECK(!sigismember(&mask, SIGUSR2));
	CHECK(!raise(SIGUSR2));
	CHECK_EQ(handled, 2);
	CHECK_EQ(on_stack, 2);
	return 0;
}
