// SPDX-License-Identifier: GPL-2.0
#include "owner.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/security.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "proto/descriptor.h"
#include "proto/rights.h"

void mitosis_owner_save(struct owner *owner)
{
	owner->cred = get_current_cred();
	owner->memory_ns = compat_get_exec_ns();
	owner->dumpable = compat_is_dumpable();
	owner->no_new_privs = task_no_new_privs(current);
	owner->seccomp = seccomp_mode(&current->seccomp);
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
	       (owner->seccomp ? DESCRIPTOR_SECCOMP : 0) |
	       (owner->dumpable ? 0 : DESCRIPTOR_UNDUMPABLE);
}

struct descriptor_credentials mitosis_owner_credentials(const struct owner *owner)
{
	const struct cred *cred = owner->cred;

	return (struct descriptor_credentials){
		.permitted = compat_cap_bits(&cred->cap_permitted),
		.effective = compat_cap_bits(&cred->cap_effective),
		.inheritable = compat_cap_bits(&cred->cap_inheritable),
		.bounding = compat_cap_bits(&cred->cap_bset),
		.user_namespace = cred->user_ns->ns.inum,
		.securebits = cred->securebits,
		.last_capability = CAP_LAST_CAP,
	};
}

struct parent_rights mitosis_owner_rights(const struct owner *owner)
{
	const struct cred *cred = owner->cred;

	return (struct parent_rights){
		.permitted = compat_cap_bits(&cred->cap_permitted),
		.inheritable = compat_cap_bits(&cred->cap_inheritable),
		.bounding = compat_cap_bits(&cred->cap_bset),
		.user_namespace = cred->user_ns->ns.inum,
		.flags = RIGHTS_KNOWN | (owner->no_new_privs ? RIGHTS_NO_NEW_PRIVS : 0) |
			 (owner->seccomp ? RIGHTS_SECCOMP : 0),
	};
}

static void limit(kernel_cap_t *set, u64 bits)
{
	*set = cap_intersect(*set, compat_cap_of_bits(bits));
}

/* Root gets all capabilities back by exec; another user does not. */
static bool is_root_instead(u32 owner_uid, const struct cred *cred)
{
	kuid_t root = make_kuid(cred->user_ns, 0);

	return owner_uid &&
	       (uid_eq(cred->uid, root) || uid_eq(cred->euid, root) || uid_eq(cred->suid, root));
}

int mitosis_owner_confine(const struct descriptor_header *descriptor)
{
	struct descriptor_credentials parent = descriptor->credentials;
	bool foreign = parent.user_namespace != DESCRIPTOR_INITIAL_NAMESPACE &&
		       parent.user_namespace != current_user_ns()->ns.inum;
	struct cred *cred = prepare_creds();

	if (!cred)
		return -ENOMEM;
	/* Its capabilities count nothing here. */
	if (foreign)
		parent = (struct descriptor_credentials){ 0 };
	limit(&cred->cap_permitted, parent.permitted);
	limit(&cred->cap_effective, parent.effective);
	limit(&cred->cap_inheritable, parent.inheritable);
	limit(&cred->cap_bset, parent.bounding);
	cred->cap_ambient = cap_intersect(cred->cap_ambient, cap_intersect(cred->cap_permitted,
									   cred->cap_inheritable));
	cred->securebits |= parent.securebits;
	if (foreign || descriptor->flags & DESCRIPTOR_NO_NEW_PRIVS ||
	    is_root_instead(descriptor->owner_uid, cred))
		task_set_no_new_privs(current);
	commit_creds(cred);
	if (descriptor->flags & DESCRIPTOR_UNDUMPABLE)
		compat_set_undumpable();
	return 0;
}
