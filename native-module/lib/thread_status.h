/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says of the threads of this process, by their ids there (see thread_list.h). Without locks and malloc but for the last. */
#ifndef LIB_THREAD_STATUS_H
#define LIB_THREAD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state letter of a thread, as proc_pid_stat(5) has it; 0: it has gone. */
char thread_state_of(int32_t listed);

/*
 * Whether signals are queued for any process of this user, which one read tells; true if that cannot be
 * told.
 */
bool thread_signals_are_queued(void);

/* The id of a thread in the PID namespace of this process, which system calls take; 0: it has gone. */
int32_t thread_own_id(int32_t listed);

/* Whether a thread blocks any of these signals, which are bits as in a signal mask. */
bool thread_blocks(int32_t listed, uint64_t signals);

/* How many seccomp filters a thread has, 0 the caller; 0: none, or before Linux 5.9, where /proc does not say. */
int32_t thread_filters(int32_t listed);

/* The name of a thread, of DESCRIPTOR_NAME_SIZE bytes with its NUL; "" if it has gone. */
void thread_name(int32_t listed, char *name);

/* The rest of the line after `key` in the status of a thread, or "unknown". */
void thread_status_word(int32_t listed, const char *key, char *word, size_t size);

#endif /* LIB_THREAD_STATUS_H */
