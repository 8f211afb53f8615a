/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A shadow: the memory of a process at one moment, as fork(2) would copy it.
 * The kernel does the copy-on-write; nobody runs in it.
 */
#ifndef MITOSIS_SHADOW_H
#define MITOSIS_SHADOW_H

#include <linux/mm_types.h>

int mitosis_shadow_init(void);
void mitosis_shadow_exit(void);

/*
 * Copies the calling process's memory. Returns an mm whose mm_users the caller
 * holds (mmput() drops it), or an error pointer: as fork(2), or -ENODEV if kprobes
 * or ftrace are switched off.
 */
struct mm_struct *mitosis_shadow_create(void);

#endif /* MITOSIS_SHADOW_H */
