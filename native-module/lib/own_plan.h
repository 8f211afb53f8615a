/* SPDX-License-Identifier: Apache-2.0 */
/* The plan by which this process became a child. */
#ifndef LIB_OWN_PLAN_H
#define LIB_OWN_PLAN_H

#include "lib/restore.h"

/*
 * From what its restorer has left, or what it has from the process that forked it; NULL: it is no
 * child, or one of the kernel module that had nothing to restore.
 */
const struct restore_plan *own_plan(void);

#endif /* LIB_OWN_PLAN_H */
