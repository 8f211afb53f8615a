/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calling thread's state: registers, the extended ones too, thread-local
 * storage, signals, and what the C library has registered with the kernel.
 */
#ifndef MITOSIS_THREAD_H
#define MITOSIS_THREAD_H

#include "proto/descriptor.h"

struct thread_state {
	struct descriptor_thread registers;
	struct descriptor_signal signals[DESCRIPTOR_SIGNALS];
	char name[DESCRIPTOR_NAME_SIZE];
	uint64_t xfeatures;
	uint32_t xstate_size;
	void *xstate;
};

/* Returns 0, or -ENODEV on a CPU without XSAVE. */
int mitosis_thread_init(void);

/*
 * Of the calling thread, as it returns from its system call with 0. Returns 0
 * or -ENOMEM.
 */
int mitosis_thread_state_save(struct thread_state *state);
void mitosis_thread_state_destroy(struct thread_state *state);

/* 0, or -EPROTO: this machine's CPU or kernel cannot go on from there. */
int mitosis_thread_check(const struct descriptor_header *descriptor);

/* 0, or -EINVAL: the calling thread cannot become another. */
int mitosis_thread_check_caller(void);

/* Before the memory goes that the kernel would write to when this thread ends. */
void mitosis_thread_detach(void);

/*
 * Makes the calling thread the descriptor's, in whose memory it already is.
 * Returns 0, or -errno when that memory cannot be written: then the caller
 * cannot live on.
 */
int mitosis_thread_load(const struct descriptor_header *descriptor);

#endif /* MITOSIS_THREAD_H */
