// SPDX-License-Identifier: Apache-2.0
/*
 * A parent writes into the descriptor that its shadow has of it: its child gets no right that
 * the kernel knows the parent not to have, and is refused where that has a seccomp filter.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "tests/harness.h"

#define ID  91
#define ALL (~0ull >> (63 - CAP_LAST_CAP))
#define NEEDED                                                                      \
	(1ull << CAP_SYS_MODULE | 1ull << CAP_SYS_PTRACE | 1ull << CAP_SYS_NICE)
#define PATIENT_MS 20000

/* What a child has of its caller's, and not of its parent's: its exit status. */
#define HAS_PERMITTED	0x01
#define HAS_INHERITABLE 0x02
#define HAS_BOUNDING	0x04
#define HAS_PRIVILEGES	0x08 /* exec may give some */
#define HAS_PRIORITY	0x10
#define IS_CHILD	0x40 /* beside them */

struct rights {
	const char *name;
	bool no_new_privs, filtered;
};

static uint64_t set_of(const char *name)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long bits = 0;
	size_t n = strlen(name);

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, n) && line[n] == ':')
			CHECK(sscanf(line + n + 1, "%llx", &bits) == 1);
	fclose(f);
	return bits;
}

static int what_it_has(void)
{
	return IS_CHILD | (set_of("CapPrm") ? HAS_PERMITTED : 0) |
	       (set_of("CapInh") ? HAS_INHERITABLE : 0) |
	       (set_of("CapBnd") >> CAP_SYS_MODULE & 1 ? HAS_BOUNDING : 0) |
	       (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ? 0 : HAS_PRIVILEGES) |
	       (sched_getscheduler(0) != SCHED_OTHER ||
				getpriority(PRIO_PROCESS, 0) < 0
			? HAS_PRIORITY
			: 0);
}

static void drop_rights(const struct rights *rights)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct none[2] = { { 0 } };
	static struct sock_filter permit[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { 1, permit };

	CHECK(!prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE));
	if (rights->no_new_privs)
		CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (rights->filtered)
		CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
	CHECK(!syscall(SYS_capset, &header, none));
}

static void lie(struct descriptor_header *d)
{
	d->credentials.permitted = d->credentials.effective =
		d->credentials.inheritable = d->credentials.bounding = ALL;
	d->credentials.last_capability = CAP_LAST_CAP;
	d->credentials.user_namespace = DESCRIPTOR_INITIAL_NAMESPACE;
	d->flags &= ~(DESCRIPTOR_NO_NEW_PRIVS | DESCRIPTOR_SECCOMP);
	d->state.known |= PROCESS_SCHEDULING;
	d->state.policy = SCHED_RR;
	d->state.priority = 99;
	d->state.nice = -20;
}

/* Changes the descriptors in [start, end) of its memory; returns how many. */
static int lie_in(int memory, uint64_t start, uint64_t end)
{
	uint64_t at, magic;
	int found = 0;

	for (at = start; at + sizeof(struct descriptor_header) <= end; at += 4096) {
		struct descriptor_header d;

		if (pread(memory, &magic, sizeof(magic), at) != sizeof(magic) ||
		    (uint32_t)magic != (uint32_t)DESCRIPTOR_MAGIC ||
		    pread(memory, &d, sizeof(d), at) != sizeof(d) ||
		    d.magic != DESCRIPTOR_MAGIC || d.header_size != sizeof(d))
			continue;
		lie(&d);
		CHECK(pwrite(memory, &d, sizeof(d), at) == sizeof(d));
		found++;
	}
	return found;
}

/* False while it has not described itself yet. */
static bool lie_in_shadow(pid_t shadow)
{
	unsigned long long start, end;
	char path[64], line[512], mode[8];
	int memory, found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/mem", shadow);
	memory = open(path, O_RDWR | O_CLOEXEC);
	CHECK(memory >= 0);
	snprintf(path, sizeof(path), "/proc/%d/maps", shadow);
	maps = fopen(path, "re");
	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx %7s", &start, &end, mode) == 3 &&
		    mode[1] == 'w' && end - start < 64 << 20)
			found += lie_in(memory, start, end);
	fclose(maps);
	close(memory);
	return found;
}

static void be_parent(void *argument)
{
	pid_t self = getpid(), shadow = 0;
	struct mitosis *device;

	drop_rights(argument);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		_exit(what_it_has());
	CHECK_SOON((shadow = find_process("mitosis-shadow", self)), PATIENT_MS);
	CHECK_SOON(lie_in_shadow(shadow), PATIENT_MS);
}

static int resume(bool attaches)
{
	struct mitosis_attachment *attachment;
	struct mitosis *device;
	int err;

	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	device = open_user();
	if (!attaches)
		return mitosis_resume_local(device, ID);
	err = mitosis_attach_local(device, ID, &attachment);
	return err ? err : mitosis_resume_attached(attachment);
}

static void check(const struct rights *rights, bool attaches)
{
	pid_t parent = start_waiting(be_parent, (void *)rights), pid;
	int status, want = IS_CHILD | (rights->no_new_privs ? 0 : HAS_PRIVILEGES);

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(-resume(attaches));
	status = status_within(pid, PATIENT_MS);
	printf("%s: status %#x\n", rights->name, status);
	if (rights->filtered)
		CHECK_EQ(WEXITSTATUS(status), EPERM);
	else
		CHECK_EQ(WEXITSTATUS(status), want);
	kill_and_reap(parent);
}

int main(void)
{
	static const struct rights all[] = {
		{ .name = "no capabilities" },
		{ .name = "no_new_privs", .no_new_privs = true },
		{ .name = "a filter", .no_new_privs = true, .filtered = true },
	};
	size_t i;

	need_userfaultfd();
	if (geteuid() || (set_of("CapPrm") & NEEDED) != NEEDED ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ||
	    prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER)
		skip("needs root with its capabilities, and no seccomp filter");
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		check(&all[i], false);
		check(&all[i], true);
	}
	return 0;
}
