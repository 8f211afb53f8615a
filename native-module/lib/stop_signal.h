/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal by which prepare stops threads: a real-time one, which is queued. glibc keeps the first two for
 * itself: no signal mask that a program sets through glibc or Go holds them. Any other one has to be unused.
 */
#ifndef LIB_STOP_SIGNAL_H
#define LIB_STOP_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* By which glibc changes the user of all threads (SIGSETXID). */
#define STOP_SIGNAL_DEFAULT 33u
/* By which it cancels one (SIGCANCEL). */
#define STOP_SIGNAL_MIN 32u
#define STOP_SIGNAL_MAX 64u

/* $MITOSIS_STOP_SIGNAL, or the default; -EINVAL with a message. */
int stop_signal_by_environment(void);

/* Returns 0; or -EINVAL with a message that begins with `name`. */
int stop_signal_check(const char *name, uint32_t signal);

typedef void (*stop_signal_handler)(int signal, siginfo_t *info, void *context);

/*
 * Makes `handler` that of the signal, with all signals blocked. Returns 0; or -errno with a message: -EADDRINUSE
 * the program has a handler of its own, or ignores it. What glibc has is replaced.
 */
int stop_signal_take(uint32_t signal, stop_signal_handler handler);

/* In that handler, of a signal that another has sent: does what it would have done before. */
void stop_signal_pass_on(int signal, siginfo_t *info, void *context);

/*
 * The same of one with a number that is not this library's: another copy of it in this process
 * may have sent it. Where there is none it does nothing.
 */
void stop_signal_pass_to_copy(int signal, siginfo_t *info, void *context);

/*
 * Blocks the signal in the calling thread, which stops others by it: of two that stop each other by two copies of
 * this library, neither could go on. Returns it as a bit of a mask, 0 if it was blocked before.
 */
uint64_t stop_signal_hold(uint32_t signal);
void stop_signal_let_go(uint64_t held);

/* Has a thread handle the signal with this number. Returns 0 or -errno: -ESRCH it has ended. */
int stop_signal_send(uint32_t signal, int32_t process, int32_t thread,
		     uint32_t number);

/* The number of such a signal; 0: it is another's. */
uint32_t stop_signal_number(const siginfo_t *info);

#endif /* LIB_STOP_SIGNAL_H */
