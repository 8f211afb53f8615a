/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of all test programs. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "libmitosis.h"

#define CHECK(condition)                                                            \
	do {                                                                        \
		if (!(condition)) {                                                 \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
			exit(1);                                                    \
		}                                                                   \
	} while (0)

/* Like CHECK(a == b), and says what the two are. */
#define CHECK_EQ(a, b)                                                              \
	do {                                                                        \
		long long a_ = (a), b_ = (b);                                       \
                                                                                    \
		if (a_ != b_) {                                                     \
			printf("%s:%d: %s is %lld, not %s = %lld (%s)\n", __FILE__, \
			       __LINE__, #a, a_, #b, b_, mitosis_error());          \
			exit(1);                                                    \
		}                                                                   \
	} while (0)

/* Waits at most `ms` for a condition. */
#define CHECK_SOON(condition, ms)                                                   \
	do {                                                                        \
		int tries_ = (ms);                                                  \
                                                                                    \
		while (!(condition) && tries_-- > 0)                                \
			sleep_ms(1);                                                \
		if (tries_ < 0) {                                                   \
			printf("%s:%d: %s not within %d ms\n", __FILE__, __LINE__,  \
			       #condition, ms);                                     \
			exit(1);                                                    \
		}                                                                   \
	} while (0)

void sleep_ms(int ms);

/* Ends the test with 77 and the requirement that is missing. */
void skip(const char *requirement) __attribute__((noreturn));

/* Skips the test where children may not get their pages by userfaultfd. */
void need_userfaultfd(void);

/*
 * Whether this process may make PID and mount namespaces, as a child with threads needs them: root
 * without CAP_SYS_ADMIN may not, and may still use userfaultfd.
 */
bool has_namespaces(void);

/* What a test needs without them. */
#define NAMESPACES_NEEDED "needs namespaces: root, or CAP_SYS_ADMIN"

/* Skips the test without them. */
void need_namespaces(void);

/* Lets this process open as many files as it may; whether that is `count`. */
bool may_open(unsigned int count);

/* Skips the test unless it may. */
void need_open_files(unsigned int count);

/* Gives up the lowest capability that this process has; false if it has none. */
bool drop_a_capability(void);

/* Opens a device of the user backend. */
struct mitosis *open_user(void);

/* Opens a device of the kernel backend; skips the test where there is no module. */
struct mitosis *open_kernel(void);

/*
 * A process that becomes a child of a snapshot of the kernel backend, lazily and
 * with windows of `prefetch_pages`. Exits with 125 if it cannot.
 */
pid_t start_kernel_child(uint32_t handler_id, uint32_t prefetch_pages);

/* A numeric parameter of the loaded module. */
int module_parameter(const char *name);
void set_module_parameter(const char *name, const char *value);

/* What the module has counted, MITOSIS_IOC_STAT. */
struct mitosis_stat kernel_statistics(void);

/* The next number of a fixed series, by which a failure can be repeated. */
uint64_t pseudo_random(void);

/*
 * Forks a process that calls `prepare(argument)` and then waits to be killed.
 * Returns when the call has returned; the test ends if that takes 30 s, or the process has ended.
 */
pid_t start_waiting(void (*prepare)(void *argument), void *argument);

void kill_and_reap(pid_t pid);

/* The wait status of a process; the test ends if that takes longer than `ms`. */
int status_within(pid_t pid, int ms);

/*
 * Has a process of its own become a child of a snapshot of this machine, in a resume mode. Returns
 * its wait status, as status_within(); 125, with the cause printed: it was refused.
 */
int run_in_mode(uint32_t handler_id, int ms, uint32_t mode);

/*
 * Forks a process that becomes a child of an attachment of this one. Its pid; it exits with 125, the cause
 * printed, if it is refused.
 */
pid_t fork_attached(struct mitosis_attachment *attachment);

/* True while the process is there and not a zombie. */
bool alive(pid_t pid);

/* Stops a process of one thread, and returns when it runs no more, which kill(2) does not wait for. */
void stop_process(pid_t pid);

/* Binds a process of one thread, 0 this one, to a CPU. */
void run_on_cpu(pid_t pid, int cpu);

/* How many lines with `text` a file of the runtime directory has, which must be there. */
int lines_with(const char *file, const char *text);

/* Pid of this test's mitosisd; 0 if none runs. */
pid_t daemon_pid(void);

/* A channel to the mitosisd of a runtime directory, without a greeting. */
int dial_daemon(const char *dir);

/* The snapshot with the handler id, or all zeros. */
struct mitosis_snapshot find_snapshot(struct mitosis *device, uint32_t handler_id);

/* "Pss:" of a process in bytes. */
uint64_t pss_of(pid_t pid);

/* Open file descriptors of a process. */
int fd_count(pid_t pid);

/* The same; -1 if the process has ended. */
int fd_count_if_alive(pid_t pid);

/* Children of this process that have not been reaped, zombies included. */
int child_count(void);

/* Mounts that this process sees. */
int mount_count(void);

/* Processes of a name with a parent; *newest is one, or 0 if there is none. */
int count_processes(const char *wanted, pid_t of, pid_t *newest);

/* The newest of them; 0 if there is none. */
pid_t find_process(const char *wanted, pid_t of);

/*
 * The next entry of /proc that is a living process with this test's runtime
 * directory, or one below, in its environment; 0 at the end.
 */
pid_t next_of_ours(DIR *proc);

/* Living processes that were started with this test's runtime directory, or one below. */
int process_count(void);

/* Ends the test unless mitosis_error() holds the text. */
void check_error_has(const char *text);

#endif /* TESTS_HARNESS_H */
