// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/child_credentials.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/prctl_numbers.h"
#include "lib/process_state.h"

/* Whether the parent's capabilities say something about those that this process has. */
static bool in_namespace_of(const struct descriptor_credentials *parent)
{
	struct stat st;

	/* This process is in the initial namespace, or in one below it. */
	if (parent->user_namespace == DESCRIPTOR_INITIAL_NAMESPACE)
		return true;
	return !stat("/proc/self/ns/user", &st) &&
	       st.st_ino == parent->user_namespace;
}

/* True if it has them now. */
static bool carry_securebits(uint32_t parents)
{
	int own;

	if (!parents)
		return true;
	own = prctl(PR_GET_SECUREBITS);
	return own >= 0 &&
	       (!(parents & ~own) || !prctl(PR_SET_SECUREBITS, own | parents));
}

/* True if exec gives no capability that it could not give to the parent. */
static bool limit_bounding_set(const struct descriptor_credentials *parent)
{
	uint32_t i;

	for (i = 0; descriptor_bounded(parent) && i <= parent->last_capability;
	     i++) {
		int has = parent->bounding >> i & 1 ? 0 : prctl(PR_CAPBSET_READ, i);

		/* This kernel has no further ones. */
		if (has < 0)
			break;
		if (has && prctl(PR_CAPBSET_DROP, i))
			return false;
	}
	return true;
}

/* Root gets all capabilities back by exec; another user does not. */
static bool is_root_instead(const struct descriptor_header *parent)
{
	uid_t real, effective, saved;

	return parent->owner_uid && (getresuid(&real, &effective, &saved) || !real ||
				     !effective || !saved);
}

/* A new thread with an id of one's choice needs one of these. */
static const int thread_makers[] = { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN };

/* Keeps one of them, if the process has one, and notes in the plan to drop it. */
static void keep_for_threads(const struct __user_cap_data_struct own[2],
			     struct __user_cap_data_struct limited[2],
			     struct restore_plan *plan)
{
	size_t i;

	if (!plan->has_threads)
		return;
	plan->drops_capabilities = true;
	plan->capabilities.header.version = _LINUX_CAPABILITY_VERSION_3;
	plan->capabilities.header.pid = 0;
	memcpy(plan->capabilities.data, limited, sizeof(plan->capabilities.data));
	for (i = 0; i < sizeof(thread_makers) / sizeof(thread_makers[0]); i++) {
		int word = CAP_TO_INDEX(thread_makers[i]);
		uint32_t bit = CAP_TO_MASK(thread_makers[i]);

		if (!(own[word].effective & bit))
			continue;
		limited[word].permitted |= bit;
		limited[word].effective |= bit;
		return;
	}
}

static int limit_sets(const struct descriptor_credentials *parent,
		      struct restore_plan *plan)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct own[2], limited[2];
	int i;

	if (syscall(SYS_capget, &header, own))
		return -errno;
	for (i = 0; i < 2; i++) {
		limited[i].permitted =
			own[i].permitted & parent->permitted >> 32 * i;
		limited[i].effective =
			own[i].effective & parent->effective >> 32 * i;
		limited[i].inheritable =
			own[i].inheritable & parent->inheritable >> 32 * i;
	}
	if (!memcmp(own, limited, sizeof(own)))
		return 0;
	keep_for_threads(own, limited, plan);
	return syscall(SYS_capset, &header, limited) ? -errno : 0;
}

int file_rights_limit(const struct descriptor_header *parent,
		      struct file_rights *before, const char *what)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const uint64_t parents = in_namespace_of(&parent->credentials)
					 ? parent->credentials.permitted
					 : 0;
	struct __user_cap_data_struct limited[2];
	int i, err = 0;

	before->changed = false;
	if (syscall(SYS_capget, &header, before->capabilities))
		err = -errno;
	memcpy(limited, before->capabilities, sizeof(limited));
	for (i = 0; i < 2; i++)
		limited[i].effective &= parents >> 32 * i;
	before->changed =
		!err && memcmp(limited, before->capabilities, sizeof(limited));
	if (before->changed && syscall(SYS_capset, &header, limited))
		err = -errno;
	return err ? fail(err,
			  "the files of %s cannot be opened with its parent's "
			  "capabilities alone: %s",
			  what, strerror(-err))
		   : 0;
}

void file_rights_return(const struct file_rights *before)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	if (before->changed)
		syscall(SYS_capset, &header, before->capabilities);
}

int child_credentials_check(struct descriptor_header *parent,
			    const struct parent_rights *has, const char *what)
{
	if (has)
		rights_limit(parent, has);
	if (process_refuses_execution(&parent->state) &&
	    prctl(PR_GET_MDWE, 0, 0, 0, 0) < 0)
		return fail(-EOPNOTSUPP,
			    "%s comes from a process whose memory must not become "
			    "executable (PR_SET_MDWE), which this kernel does not "
			    "know; run Linux 6.3 or newer",
			    what);
	/* Not where all processes run under one, as in a container of Docker. */
	if (!(parent->flags & DESCRIPTOR_SECCOMP) ||
	    prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER)
		return 0;
	return fail(-EPERM,
		    "%s comes from a process with a seccomp filter, which its "
		    "children would lose; prepare before the filter is set, resume "
		    "where a filter is set, or in mode clone",
		    what);
}

int child_credentials_hide(const struct descriptor_header *parent, const char *what)
{
	return parent->flags & DESCRIPTOR_UNDUMPABLE && prctl(PR_SET_DUMPABLE, 0)
		       ? fail(-errno, "a child of %s cannot be undumpable: %s", what,
			      strerror(errno))
		       : 0;
}

int child_credentials_limit(const struct descriptor_header *parent,
			    struct restore_plan *plan, const char *what)
{
	static const struct descriptor_credentials none;
	const struct descriptor_credentials *c = &parent->credentials;
	bool needs_no_new_privs = parent->flags & DESCRIPTOR_NO_NEW_PRIVS;
	int err;

	if (!in_namespace_of(c)) {
		c = &none;
		needs_no_new_privs = true;
	} else if (!carry_securebits(c->securebits) || !limit_bounding_set(c) ||
		   is_root_instead(parent)) {
		needs_no_new_privs = true;
	}
	if (needs_no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(-errno, "a child of %s cannot get no_new_privs: %s",
			    what, strerror(errno));
	err = limit_sets(c, plan);
	return err ? fail(err,
			  "the capabilities of a child of %s cannot be limited "
			  "to its parent's: %s",
			  what, strerror(-err))
		   : 0;
}
