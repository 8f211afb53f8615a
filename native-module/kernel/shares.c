// SPDX-License-Identifier: GPL-2.0
#include "shares.h"

#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "parameters.h"

/* The number of each user's connections, by user id. */
static DEFINE_XARRAY(shares);
static DEFINE_MUTEX(shares_lock);

static unsigned long count_of(u32 user)
{
	void *entry = xa_load(&shares, user);

	return entry ? xa_to_value(entry) : 0;
}

int mitosis_share_take(u32 user)
{
	unsigned long count;
	int err = -EUSERS;

	if (user == NO_USER)
		return 0;
	mutex_lock(&shares_lock);
	count = count_of(user);
	if (count < mitosis_connections_per_user())
		err = xa_err(xa_store(&shares, user, xa_mk_value(count + 1), GFP_KERNEL));
	mutex_unlock(&shares_lock);
	return err;
}

void mitosis_share_give(u32 user)
{
	unsigned long count;

	if (user == NO_USER)
		return;
	mutex_lock(&shares_lock);
	count = count_of(user);
	if (count > 1)
		xa_store(&shares, user, xa_mk_value(count - 1), GFP_KERNEL);
	else
		xa_erase(&shares, user);
	mutex_unlock(&shares_lock);
}
