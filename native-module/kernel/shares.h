/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many connections to other machines each user's children have: servers have places for
 * a number of them, which one user of this machine must not take from the others.
 */
#ifndef MITOSIS_SHARES_H
#define MITOSIS_SHARES_H

#include <linux/types.h>

/* Whose connections are not counted. */
#define NO_USER (~0u)

/* Counts one more of a user's. Returns 0, -EUSERS at the parameter's limit, or -ENOMEM. */
int mitosis_share_take(u32 user);
/* One less. */
void mitosis_share_give(u32 user);

#endif /* MITOSIS_SHARES_H */
