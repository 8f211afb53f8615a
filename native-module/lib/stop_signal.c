// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/stop_signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "paging/raw_syscall.h"

/* As the kernel's struct sigaction. */
struct kernel_action {
	void (*handler)(int signal, siginfo_t *info, void *context);
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define KERNEL_SA_RESTORER 0x04000000ull
#define SIGNALS		   (STOP_SIGNAL_MAX - STOP_SIGNAL_MIN + 1)

/* In a signal's value, above the number: "MTST" in memory. */
#define MAGIC 0x5453544dull

#define OUR_FLAGS (SA_SIGINFO | SA_RESTART | SA_ONSTACK | KERNEL_SA_RESTORER)
/* All that the kernel lets a mask have. No program has these two through glibc as well. */
#define OUR_MASK (~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1)))

/*
 * What was there before, of each signal that has been taken; and the last of those that was not
 * another copy's of this library, which a process can have: in a preloaded library, say.
 */
static struct kernel_action replaced[SIGNALS], others[SIGNALS];
/*
 * Copies that a signal is passed through. They can be in a circle: each has replaced the other.
 * Then, and not before, a handler is called that may have been replaced since.
 */
#define COPIES_MAX 4u

void thread_stop_return(void) __attribute__((visibility("hidden")));
/* As debuggers know a signal's return. */
__asm__(".text\n\t"
	".globl thread_stop_return\n\t"
	".hidden thread_stop_return\n\t"
	".type thread_stop_return, @function\n"
	"thread_stop_return:\n\t"
	"mov $15, %rax\n\t"
	"syscall\n\t"
	".size thread_stop_return, . - thread_stop_return");

int stop_signal_check(const char *name, uint32_t signal)
{
	if (signal >= STOP_SIGNAL_MIN && signal <= STOP_SIGNAL_MAX)
		return 0;
	return fail(-EINVAL,
		    "%s must be a real-time signal, %u to %u (default: %u), got %u",
		    name, STOP_SIGNAL_MIN, STOP_SIGNAL_MAX, STOP_SIGNAL_DEFAULT,
		    signal);
}

int stop_signal_by_environment(void)
{
	const char *text = secure_getenv("MITOSIS_STOP_SIGNAL");
	char *end;
	unsigned long signal;

	if (!text || !*text)
		return STOP_SIGNAL_DEFAULT;
	signal = strtoul(text, &end, 10);
	if (*end || *text < '0' || *text > '9' || signal < STOP_SIGNAL_MIN ||
	    signal > STOP_SIGNAL_MAX)
		return fail(
			-EINVAL,
			"MITOSIS_STOP_SIGNAL must be a real-time signal, %u to %u "
			"(default: %u), got '%s'",
			STOP_SIGNAL_MIN, STOP_SIGNAL_MAX, STOP_SIGNAL_DEFAULT, text);
	return (int)signal;
}

static bool is_of_c_library(uint32_t signal)
{
	return signal <= STOP_SIGNAL_DEFAULT;
}

static int in_use(uint32_t signal, const char *how)
{
	return fail(-EADDRINUSE,
		    "signal %u, which is to stop the threads of this process, %s: "
		    "choose another (MITOSIS_STOP_SIGNAL, or the options of "
		    "prepare)",
		    signal, how);
}

static bool is_of_copy(const struct kernel_action *action)
{
	return action->flags == OUR_FLAGS && action->mask == OUR_MASK;
}

/* The mask holds the signals that glibc's sigfillset() leaves out, too: none may nest. */
int stop_signal_take(uint32_t signal, stop_signal_handler handler)
{
	struct kernel_action ours = {
		.handler = handler,
		.flags = OUR_FLAGS,
		.restorer = thread_stop_return,
		.mask = ~0ull,
	};
	struct kernel_action now;
	long err = raw_syscall(SYS_rt_sigaction, signal, 0, &now, sizeof(now.mask));

	if (!err && now.handler == handler)
		return 0;
	if (!err && !is_of_c_library(signal) && now.handler == (void *)SIG_IGN)
		return in_use(signal, "is ignored");
	if (!err && !is_of_c_library(signal) && now.handler != (void *)SIG_DFL)
		return in_use(signal, "has a handler of the program");
	if (!err) {
		if (!is_of_copy(&now))
			others[signal - STOP_SIGNAL_MIN] = now;
		replaced[signal - STOP_SIGNAL_MIN] = now;
		err = raw_syscall(SYS_rt_sigaction, signal, &ours, 0,
				  sizeof(ours.mask));
	}
	return err ? fail((int)err, "signal %u has no handler: %s", signal,
			  strerror((int)-err))
		   : 0;
}

/* It is unblocked, and ends the process, when the handler returns. */
static void act_by_default(int signal)
{
	const struct kernel_action standard = {
		.handler = (void *)SIG_DFL,
		.flags = KERNEL_SA_RESTORER,
		.restorer = thread_stop_return,
	};

	raw_syscall(SYS_rt_sigaction, signal, &standard, 0, sizeof(standard.mask));
	raw_syscall(SYS_tgkill, raw_syscall(SYS_getpid), raw_syscall(SYS_gettid),
		    signal);
}

/* How many copies a signal has been passed through: where the kernel writes a zero. */
static uint32_t *passed(siginfo_t *info)
{
	return (uint32_t *)(info + 1) - 1;
}

static void act(const struct kernel_action *as, int signal, siginfo_t *info,
		void *context)
{
	if (as->handler == (void *)SIG_DFL)
		act_by_default(signal);
	else if (as->handler != (void *)SIG_IGN)
		as->handler(signal, info, context);
}

void stop_signal_pass_on(int signal, siginfo_t *info, void *context)
{
	const struct kernel_action *before = &replaced[signal - STOP_SIGNAL_MIN];
	const struct kernel_action *other = &others[signal - STOP_SIGNAL_MIN];

	if (!is_of_copy(before))
		act(before, signal, info, context);
	else if (++*passed(info) < COPIES_MAX || (*passed(info) < 2 * COPIES_MAX &&
						  other->handler == (void *)SIG_DFL))
		before->handler(signal, info, context);
	else
		act(other, signal, info, context);
}

void stop_signal_pass_to_copy(int signal, siginfo_t *info, void *context)
{
	const struct kernel_action *before = &replaced[signal - STOP_SIGNAL_MIN];

	if (is_of_copy(before) && ++*passed(info) < COPIES_MAX)
		before->handler(signal, info, context);
}

/* Not by glibc, which neither blocks nor keeps its own signals. */
uint64_t stop_signal_hold(uint32_t signal)
{
	const uint64_t held = 1ull << (signal - 1);
	uint64_t before = 0;

	raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, &held, &before, sizeof(held));
	return held & ~before;
}

void stop_signal_let_go(uint64_t held)
{
	if (held)
		raw_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &held, 0, sizeof(held));
}

int stop_signal_send(uint32_t signal, int32_t process, int32_t thread,
		     uint32_t number)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = (int)signal;
	info.si_code = SI_QUEUE;
	info.si_pid = process;
	info.si_value.sival_ptr = (void *)(MAGIC << 32 | number);
	return (int)raw_syscall(SYS_rt_tgsigqueueinfo, process, thread, signal,
				&info);
}

uint32_t stop_signal_number(const siginfo_t *info)
{
	uint64_t value = (uintptr_t)info->si_value.sival_ptr;

	return info->si_code == SI_QUEUE && value >> 32 == MAGIC ? (uint32_t)value
								 : 0;
}
