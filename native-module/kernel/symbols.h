/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel functions that are not exported, or not for modules like this one. */
#ifndef MITOSIS_SYMBOLS_H
#define MITOSIS_SYMBOLS_H

#include <linux/path.h>
#include <linux/sched/task.h>

struct rseq;

/* Returns 0, or -ENOENT after logging the missing function. */
int mitosis_symbols_init(void);

/* kernel_clone(): returns a pid or -errno. */
pid_t mitosis_clone(struct kernel_clone_args *args);

/*
 * mremap(2) of the calling process with MREMAP_FIXED, length unchanged.
 * Returns `to` or -errno.
 */
long mitosis_mremap(unsigned long from, unsigned long length, unsigned long to);

/* madvise(2) of the calling process. Returns 0 or -errno. */
int mitosis_madvise(unsigned long start, unsigned long length, int advice);

/* mseal(2) of the calling process. Returns 0 or -errno. */
int mitosis_mseal(unsigned long start, unsigned long length);

/* rseq(2) of the calling thread. Returns 0 or -errno. */
long mitosis_rseq(struct rseq __user *area, u32 size, int flags, u32 signature);

/*
 * switch_fpu_return(): loads the calling thread's extended registers, with
 * fpregs_lock() held. Since 6.19 it is exported to KVM alone.
 */
void mitosis_load_fpu(void);

/* __d_path(): the path as seen from a root; NULL if it is not below the root. */
char *mitosis_d_path(const struct path *path, const struct path *root, char *buffer, int size);

#endif /* MITOSIS_SYMBOLS_H */
