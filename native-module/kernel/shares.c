// SPDX-License-Identifier: GPL-2.0
#include "shares.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/user_namespace.h>

u32 mitosis_share_user(void)
{
	const struct user_namespace *ns = current_user_ns();
	kuid_t user = current_euid();

	if (capable(CAP_SYS_RESOURCE))
		return NO_USER;
	for (; ns != &init_user_ns; ns = ns->parent)
		/* Whom root has given user ids of their own are as many users. */
		if (ns->parent == &init_user_ns && !uid_eq(ns->owner, GLOBAL_ROOT_UID))
			user = ns->owner;
	return from_kuid(&init_user_ns, user);
}

static unsigned long amount_of(struct shares *s, u32 user)
{
	void *entry = xa_load(&s->users, user);

	return entry ? xa_to_value(entry) : 0;
}

int mitosis_share_take(struct shares *s, u32 user, unsigned long amount, unsigned long limit)
{
	unsigned long has;
	int err = -EUSERS;

	if (user == NO_USER || !amount)
		return 0;
	mutex_lock(&s->lock);
	has = amount_of(s, user);
	if (amount <= limit && has <= limit - amount)
		err = xa_err(xa_store(&s->users, user, xa_mk_value(has + amount), GFP_KERNEL));
	mutex_unlock(&s->lock);
	return err;
}

void mitosis_share_give(struct shares *s, u32 user, unsigned long amount)
{
	unsigned long has;

	if (user == NO_USER || !amount)
		return;
	mutex_lock(&s->lock);
	has = amount_of(s, user);
	if (has > amount)
		xa_store(&s->users, user, xa_mk_value(has - amount), GFP_KERNEL);
	else
		xa_erase(&s->users, user);
	mutex_unlock(&s->lock);
}

bool mitosis_share_has_room(struct shares *s, u32 user, unsigned long limit)
{
	return amount_of(s, user) < limit;
}
