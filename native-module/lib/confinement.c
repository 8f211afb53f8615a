// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/confinement.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/restore_plan.h"
#include "lib/sized_struct.h"

/*
 * Of this thread alone, as the calls below: the C library's would change all of them. A
 * process without the right to drop its groups has no right to confine either.
 */
static int drop_groups(struct file_user *before)
{
	before->group_count =
		syscall(SYS_getgroups, FILE_USER_GROUPS_MAX, before->groups);
	if (before->group_count < 0) {
		before->group_count = 0;
		return -errno;
	}
	if (before->group_count && syscall(SYS_setgroups, 0, NULL)) {
		before->group_count = 0;
		return -errno;
	}
	return 0;
}

int file_user_become(struct file_user *before,
		     const struct mitosis_confinement *confinement)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2];

	int err;

	before->capabilities_changed = false;
	before->group_count = 0;
	before->changed = confinement->confine;
	if (!before->changed)
		return 0;
	/* The kernel resets these two when the file system user changes. */
	before->dumpable = prctl(PR_GET_DUMPABLE);
	if (prctl(PR_GET_PDEATHSIG, &before->parent_death_signal))
		before->parent_death_signal = 0;
	err = drop_groups(before);
	before->group = setfsgid(confinement->group);
	before->user = setfsuid(confinement->user);
	if (err)
		return err;
	/* They report no errors: only a second call tells. */
	if (setfsgid(-1) != (int)confinement->group ||
	    setfsuid(-1) != (int)confinement->user)
		return -EPERM;
	/* CAP_SYS_PTRACE opens what other processes have as root directory, in /proc. */
	before->capabilities_changed =
		!syscall(SYS_capget, &header, before->capabilities);
	if (!before->capabilities_changed)
		return -errno;
	memcpy(none, before->capabilities, sizeof(none));
	none[0].effective = none[1].effective = 0;
	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

void file_user_return(const struct file_user *before)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	if (!before->changed)
		return;
	if (before->capabilities_changed)
		syscall(SYS_capset, &header, before->capabilities);
	setfsuid(before->user);
	setfsgid(before->group);
	if (before->group_count)
		syscall(SYS_setgroups, before->group_count, before->groups);
	prctl(PR_SET_DUMPABLE, before->dumpable);
	prctl(PR_SET_PDEATHSIG, before->parent_death_signal);
}

int thread_confinement_read(const struct mitosis_thread_confinement *given,
			    struct mitosis_thread_confinement *confinement)
{
	int err = sized_struct_read(given, confinement, sizeof(*confinement),
				    "confinements of threads",
				    "mitosis_thread_confinement");

	if (err)
		return err;
	if (confinement->user_namespace < 0 || !confinement->enter ||
	    !confinement->confine)
		return fail(-EINVAL, "a confinement of threads needs a user "
				     "namespace and both functions");
	if (confinement->filter && confinement->filter->len > BPF_MAXINSNS)
		return fail(-E2BIG,
			    "a filter of system calls has at most %u instructions, "
			    "got %u",
			    BPF_MAXINSNS, confinement->filter->len);
	return 0;
}

/* All that it leaves for them. */
static void plan_to_drop_all(struct restore_plan *plan)
{
	plan->drops_capabilities = true;
	plan->capabilities = (struct capability_sets){
		.header.version = _LINUX_CAPABILITY_VERSION_3,
	};
}

int confine(struct restore_plan *plan, const char *what)
{
	const struct mitosis_confinement *one = &plan->confinement;
	const struct mitosis_thread_confinement *threads = &plan->thread_confinement;
	int err;

	if (!one->confine)
		return 0;
	if (plan->has_threads)
		plan_to_drop_all(plan);
	err = plan->has_threads ? threads->confine(threads->argument)
				: one->confine(one->argument);
	return err ? fail(err, "a child of %s cannot be confined: %s", what,
			  strerror(-err))
		   : 0;
}
