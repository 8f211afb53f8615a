// SPDX-License-Identifier: GPL-2.0
#include "owner.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/security.h>
#include <linux/user_namespace.h>

#include "proto/descriptor.h"

void mitosis_owner_save(struct owner *owner)
{
	owner->cred = get_current_cred();
	owner->memory_ns = get_user_ns(current->mm->user_ns);
	owner->dumpable = get_dumpable(current->mm) == SUID_DUMP_USER;
	owner->no_new_privs = task_no_new_privs(current);
}

void mitosis_owner_put(struct owner *owner)
{
	put_cred(owner->cred);
	put_user_ns(owner->memory_ns);
}

static bool same_ids(const struct cred *a, const struct cred *b)
{
	return uid_eq(a->uid, b->uid) && uid_eq(a->euid, b->euid) && uid_eq(a->suid, b->suid) &&
	       gid_eq(a->gid, b->gid) && gid_eq(a->egid, b->egid) && gid_eq(a->sgid, b->sgid);
}

/* Of SELinux, Smack and others that label processes; without one all are equal. */
static bool same_label(const struct cred *a, const struct cred *b)
{
	u32 first, second;

	security_cred_getsecid(a, &first);
	security_cred_getsecid(b, &second);
	return first == second;
}

bool mitosis_owner_lets_become(const struct owner *owner)
{
	const struct cred *caller = current_cred(), *theirs = owner->cred;

	if (caller->user_ns != theirs->user_ns || !same_ids(caller, theirs) ||
	    !cap_issubset(theirs->cap_permitted, caller->cap_permitted) ||
	    !same_label(caller, theirs))
		return false;
	return owner->dumpable || (cap_issubset(caller->cap_permitted, theirs->cap_permitted) &&
				   ns_capable(owner->memory_ns, CAP_SYS_PTRACE));
}

bool mitosis_owner_lets_become_remote(const struct descriptor_header *descriptor)
{
	const struct cred *caller = current_cred();
	kuid_t theirs = make_kuid(&init_user_ns, descriptor->owner_uid);

	if (caller->user_ns != &init_user_ns || !uid_eq(caller->uid, theirs) ||
	    !uid_eq(caller->euid, theirs) || !uid_eq(caller->suid, theirs))
		return false;
	return (descriptor->owner_uid && !(descriptor->flags & DESCRIPTOR_UNDUMPABLE)) ||
	       capable(CAP_SYS_PTRACE);
}

bool mitosis_owner_lets_manage(const struct owner *owner)
{
	return uid_eq(owner->cred->euid, current_euid()) ||
	       ns_capable(owner->cred->user_ns, CAP_SYS_PTRACE);
}

u32 mitosis_owner_flags(const struct owner *owner)
{
	return (owner->no_new_privs ? DESCRIPTOR_NO_NEW_PRIVS : 0) |
	       (owner->dumpable ? 0 : DESCRIPTOR_UNDUMPABLE);
}

void mitosis_owner_confine(u32 flags)
{
	if (flags & DESCRIPTOR_NO_NEW_PRIVS)
		task_set_no_new_privs(current);
	if (flags & DESCRIPTOR_UNDUMPABLE)
		set_mask_bits(&current->mm->flags, MMF_DUMPABLE_MASK, SUID_DUMP_DISABLE);
}
