// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/thread_differences.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/error.h"
#include "lib/thread_status.h"
#include "paging/raw_syscall.h"

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13
/* In the attributes: a time that the kernel chooses. */
#define ATTRIBUTE_RUNTIME 3

static void read_rights(struct thread_own *own)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	uint32_t *ids = own->ids;

	raw_syscall(SYS_capget, &header, own->capabilities);
	raw_syscall(SYS_getresuid, &ids[0], &ids[1], &ids[2]);
	raw_syscall(SYS_getresgid, &ids[4], &ids[5], &ids[6]);
	/* -1 is no id: they return what they would have set. */
	ids[3] = raw_syscall(SYS_setfsuid, -1);
	ids[7] = raw_syscall(SYS_setfsgid, -1);
	own->group_count =
		raw_syscall(SYS_getgroups, THREAD_GROUPS_MAX, own->groups);
	if (own->group_count < 0)
		own->group_count = raw_syscall(SYS_getgroups, 0, NULL);
	own->securebits = raw_syscall(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
	own->no_new_privs = raw_syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static void read_scheduling(struct thread_own *own)
{
	raw_syscall(SYS_sched_getattr, 0, own->attributes, sizeof(own->attributes),
		    0);
	own->attributes[ATTRIBUTE_RUNTIME] = 0;
	own->io_priority = raw_syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	/* Without a class it is that of the nice value, or any number. */
	if (!(own->io_priority >> IOPRIO_CLASS_SHIFT))
		own->io_priority = 0;
	own->timer_slack_ns = raw_syscall(SYS_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);
	own->personality = raw_syscall(SYS_personality, 0xffffffff);
}

static void read_own(struct thread_own *own)
{
	*own = (struct thread_own){
		.seccomp = raw_syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0),
	};
	/* -EINVAL of a kernel without. Such a filter might end the process for a call that it does not know. */
	if (own->seccomp > 0)
		return;
	read_rights(own);
	read_scheduling(own);
}

void thread_differences_begin(struct thread_differences *d)
{
	read_own(&d->caller);
	d->caller_tid = raw_syscall(SYS_gettid);
	atomic_store(&d->fresh, 0);
	atomic_store(&d->limited, 0);
}

/* Whether the thread with `own` may do less than that with `callers`. */
static bool has_less(const struct thread_own *own, const struct thread_own *callers)
{
	int i;

	for (i = 0; i < 2; i++)
		if (callers->capabilities[i].permitted &
			    ~own->capabilities[i].permitted ||
		    callers->capabilities[i].effective &
			    ~own->capabilities[i].effective)
			return true;
	return own->no_new_privs > callers->no_new_privs;
}

static bool rights_differ(const struct thread_own *own,
			  const struct thread_own *callers)
{
	return memcmp(own->capabilities, callers->capabilities,
		      sizeof(own->capabilities)) ||
	       memcmp(own->ids, callers->ids, sizeof(own->ids)) ||
	       own->group_count != callers->group_count ||
	       memcmp(own->groups, callers->groups, sizeof(own->groups)) ||
	       own->securebits != callers->securebits ||
	       own->no_new_privs != callers->no_new_privs;
}

static bool scheduling_differs(const struct thread_own *own,
			       const struct thread_own *callers)
{
	return memcmp(own->attributes, callers->attributes,
		      sizeof(own->attributes)) ||
	       own->io_priority != callers->io_priority ||
	       own->timer_slack_ns != callers->timer_slack_ns ||
	       own->personality != callers->personality;
}

/* Below 0 where the kernel cannot compare (CONFIG_KCMP). */
static bool differs_from_caller(const struct thread_differences *d, int32_t tid,
				int type)
{
	return raw_syscall(SYS_kcmp, tid, d->caller_tid, type, 0, 0) > 0;
}

/* But for the C library's own, which stop_signal.h and pending_change.h are about. */
static bool has_pending_signals(uint64_t blocked)
{
	const uint64_t librarys = 3ull << (32 - 1);
	uint64_t pending = 0;

	raw_syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	return pending & blocked & ~librarys;
}

static uint32_t compare(const struct thread_differences *d, int32_t tid,
			const struct thread_own *own, uint64_t blocked)
{
	int death_signal = 0;

	raw_syscall(SYS_prctl, PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
	return (differs_from_caller(d, tid, KCMP_FILES) ? FRESH_THREAD_FILES : 0) |
	       (differs_from_caller(d, tid, KCMP_FS) ? FRESH_THREAD_DIRECTORY : 0) |
	       (rights_differ(own, &d->caller) ? FRESH_THREAD_RIGHTS : 0) |
	       (scheduling_differs(own, &d->caller) ? FRESH_THREAD_SCHEDULING : 0) |
	       (death_signal ? FRESH_DEATH_SIGNAL : 0) |
	       (has_pending_signals(blocked) ? FRESH_SIGNALS : 0);
}

/* The first one gives the message its name. */
static void note_limited(struct thread_differences *d, int32_t tid, bool is_filtered)
{
	int32_t none = 0;

	if (!atomic_compare_exchange_strong(&d->limited, &none, tid))
		return;
	d->is_filtered = is_filtered;
	raw_syscall(SYS_prctl, PR_GET_NAME, d->name, 0, 0, 0);
}

void thread_differences_add(struct thread_differences *d, uint64_t blocked)
{
	int32_t tid = raw_syscall(SYS_gettid);
	struct thread_own own;

	read_own(&own);
	if (own.seccomp > 0 && d->caller.seccomp <= 0)
		note_limited(d, tid, true);
	if (own.seccomp > 0 || d->caller.seccomp > 0)
		return;
	if (has_less(&own, &d->caller))
		note_limited(d, tid, false);
	atomic_fetch_or(&d->fresh, compare(d, tid, &own, blocked));
}

bool thread_differences_refused(struct thread_differences *d, const int32_t *listed,
				uint32_t count)
{
	int32_t callers;
	uint32_t i;

	if (atomic_load(&d->limited) || d->caller.seccomp <= 0)
		return atomic_load(&d->limited);
	callers = thread_filters(0);
	for (i = 0; i < count; i++)
		if (thread_filters(listed[i]) > callers) {
			d->is_filtered = true;
			thread_name(listed[i], d->name);
			atomic_store(&d->limited, listed[i]);
			return true;
		}
	return false;
}

int thread_differences_refuse(const struct thread_differences *d)
{
	return fail(-EPERM,
		    "thread %d ('%s') has %s, and a child would have that thread "
		    "without; prepare before it is set, or when the thread has "
		    "ended",
		    d->limited, d->name,
		    d->is_filtered ? "a seccomp filter of its own"
				   : "fewer capabilities than the thread that "
				     "prepares, or no_new_privs");
}
