/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A shadow: an mm that holds a process's memory as it was at one moment, copied
 * as by fork(2). The kernel does the copy-on-write. No thread runs in a shadow.
 */
#ifndef MITOSIS_SHADOW_H
#define MITOSIS_SHADOW_H

#include <linux/mm_types.h>

int mitosis_shadow_init(void);
void mitosis_shadow_exit(void);

/*
 * Copies the calling process's memory. Returns an mm with a reference of mm_users
 * (mmput() drops it), or an error pointer: as fork(2), or -ENODEV if kprobes or
 * ftrace are switched off.
 */
struct mm_struct *mitosis_shadow_create(void);

#endif /* MITOSIS_SHADOW_H */
