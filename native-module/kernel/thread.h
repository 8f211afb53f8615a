/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calling thread's state: registers, extended registers, thread-local storage,
 * signals, and the addresses that the C library has registered with the kernel.
 */
#ifndef MITOSIS_THREAD_H
#define MITOSIS_THREAD_H

#include "proto/descriptor.h"
#include "uapi/mitosis.h"

struct thread_state {
	struct descriptor_thread registers;
	struct descriptor_signal signals[DESCRIPTOR_SIGNALS];
	char name[DESCRIPTOR_NAME_SIZE];
	u64 xfeatures;
	u32 xstate_size;
	void *xstate;
};

/* Returns 0, or -ENODEV on a CPU without XSAVE. */
int mitosis_thread_init(void);

/* Those of this machine. */
void mitosis_thread_cpu_features(u32 features[CPU_FEATURE_WORDS]);

/*
 * Saves the calling thread's state, as after its system call returned 0. Returns
 * 0 or -ENOMEM.
 */
int mitosis_thread_state_save(struct thread_state *state);
void mitosis_thread_state_destroy(struct thread_state *state);

/* Returns 0, or -EPROTO if this machine's CPU or kernel cannot load the state. */
int mitosis_thread_check(const struct descriptor_header *descriptor);

/* Returns 0, or -EINVAL for a 32-bit thread or one that uses segments. */
int mitosis_thread_check_caller(void);

/*
 * Must be called before the memory is unmapped: the kernel would write to it when
 * the thread ends. Returns 0, or -errno if the area for rseq(2) is not there any more.
 */
int mitosis_thread_detach(void);

/*
 * Loads the descriptor's state into the calling thread, whose memory must already
 * be the descriptor's, and what it is told, if it takes that. Returns 0, or -errno if that memory cannot be written: then
 * the caller must be killed.
 */
int mitosis_thread_load(const struct descriptor_header *descriptor, struct mitosis_told told);

#endif /* MITOSIS_THREAD_H */
