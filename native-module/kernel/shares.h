/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each user has of something that there is a limited amount of, so that none takes it from
 * the others.
 */
#ifndef MITOSIS_SHARES_H
#define MITOSIS_SHARES_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

/* Who has as much as there is. */
#define NO_USER (~0u)

struct shares {
	struct xarray users; /* their amounts, by user id */
	struct mutex lock;
};

#define DEFINE_SHARES(name)                                                                        \
	struct shares name = {                                                                     \
		.users = XARRAY_INIT(name.users, 0),                                               \
		.lock = __MUTEX_INITIALIZER(name.lock),                                            \
	}

/*
 * In whose share the caller is: NO_USER with CAP_SYS_RESOURCE; of a user namespace that a user
 * has made, that user: a range of user ids is no reason for as many shares.
 */
u32 mitosis_share_user(void);

/* Takes `amount` more for a user. Returns 0, -EUSERS above the limit, or -ENOMEM. */
int mitosis_share_take(struct shares *shares, u32 user, unsigned long amount, unsigned long limit);
void mitosis_share_give(struct shares *shares, u32 user, unsigned long amount);

/* Whether the user has less than the limit. Does not sleep. */
bool mitosis_share_has_room(struct shares *shares, u32 user, unsigned long limit);

#endif /* MITOSIS_SHARES_H */
