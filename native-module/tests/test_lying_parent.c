// SPDX-License-Identifier: Apache-2.0
/*
 * A parent writes into the descriptor that its shadow has of it: its child, on another machine
 * too, gets no right that the kernel knows the parent not to have, is refused where that has a seccomp filter,
 * reaches no file of its caller by what /proc has of open files, maps none that its caller's capabilities alone
 * open, and has none read for long.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID  91
#define ALL (~0ull >> (63 - CAP_LAST_CAP))
#define NEEDED                                                                      \
	(1ull << CAP_SYS_MODULE | 1ull << CAP_SYS_PTRACE | 1ull << CAP_SYS_NICE)
#define PATIENT_MS 20000
#define OTHERS	   65534 /* another user */
#define LARGE	   (1ll << 40)

/* What a child has of its caller's, and not of its parent's: its exit status. */
#define HAS_PERMITTED	0x01
#define HAS_INHERITABLE 0x02
#define HAS_BOUNDING	0x04
#define HAS_PRIVILEGES	0x08 /* exec may give some */
#define HAS_PRIORITY	0x10
#define HAS_DIRECTORY	0x20 /* is in one that its caller has open */
#define IS_CHILD	0x40 /* beside them */
#define HAS_CONTENTS	0x80 /* of another user's file */

struct rights {
	const char *name;
	bool no_new_privs, filtered;
	bool moves;   /* into a directory that its caller has open */
	bool maps;    /* another user's file */
	bool digests; /* a file of more bytes than one reads */
	bool reaches; /* for an open file of its caller's, by what a file of its own is called */
};

/* Of its caller, which exec would not keep. */
#define SECRET	  200
#define DIRECTORY 201
/* Of the parent. */
#define NUMBER 57

/* Longer than what it is replaced by. */
static char own_path[] = "/tmp/mitosis-lying-parent-XXXXXX";
static char others_path[] = "/tmp/mitosis-others-XXXXXX";
static char large_path[] = "/tmp/mitosis-large-XXXXXX";
static const char *mapped; /* own_path */
static char own_directory[] = "/tmp/mitosis-lying-parents-XXXXXX";

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
	char directory[4096];

	CHECK(getcwd(directory, sizeof(directory)));
	return IS_CHILD | (mapped && *mapped == 's' ? HAS_CONTENTS : 0) |
	       (strcmp(directory, "/dev") ? 0 : HAS_DIRECTORY) |
	       (set_of("CapPrm") ? HAS_PERMITTED : 0) |
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

/* What it has mapped of its own file is all of the other. */
static void lie_of_mapping(struct descriptor_header *d, const char *path,
			   bool digest)
{
	struct descriptor_vma *vmas = (void *)descriptor_vmas(d);
	struct stat st;
	uint32_t i;

	CHECK(!stat(path, &st));
	for (i = 0; i < d->vma_count; i++) {
		if (vmas[i].start != (uintptr_t)mapped)
			continue;
		strcpy((void *)descriptor_string(d, vmas[i].name), path);
		vmas[i].inode = st.st_ino;
		vmas[i].device_major = major(st.st_dev);
		vmas[i].device_minor = minor(st.st_dev);
		vmas[i].kind = VMA_FILE;
		vmas[i].file_version = DESCRIPTOR_FILE_UNKNOWN;
		vmas[i].build_id = DESCRIPTOR_NO_STRING;
		/* Any string: it is compared when the file has been read. */
		vmas[i].digest = digest ? vmas[i].name : DESCRIPTOR_NO_STRING;
	}
}

static void lie_of_paths(char *bytes, const struct rights *rights)
{
	struct descriptor_header *d = (void *)bytes;
	struct descriptor_fd *fds = (void *)descriptor_fds(d);
	char *directory = (void *)descriptor_string(d, d->state.working_directory);
	uint32_t i;

	if (rights->maps || rights->digests)
		lie_of_mapping(d, rights->maps ? others_path : large_path,
			       rights->digests);
	if (rights->moves)
		strcpy(directory, "/proc/self/fd/201");
	for (i = 0; rights->reaches && i < d->fd_count; i++)
		if (fds[i].number == NUMBER) {
			strcpy((void *)descriptor_string(d, fds[i].path),
			       "/proc/self/fd/200");
			fds[i].flags |= DESCRIPTOR_FD_GENERATED;
		}
}

/* Changes the descriptors in [start, end) of its memory; returns how many. */
static int lie_in(int memory, uint64_t start, uint64_t end,
		  const struct rights *rights)
{
	char *bytes;
	uint64_t at, magic;
	int found = 0;

	for (at = start; at + sizeof(struct descriptor_header) <= end; at += 4096) {
		struct descriptor_header d;

		if (pread(memory, &magic, sizeof(magic), at) != sizeof(magic) ||
		    (uint32_t)magic != (uint32_t)DESCRIPTOR_MAGIC ||
		    pread(memory, &d, sizeof(d), at) != sizeof(d) ||
		    d.magic != DESCRIPTOR_MAGIC || d.header_size != sizeof(d))
			continue;
		bytes = malloc(d.total_size);
		CHECK(bytes && pread(memory, bytes, d.total_size, at) ==
				       (ssize_t)d.total_size);
		lie((void *)bytes);
		lie_of_paths(bytes, rights);
		CHECK(pwrite(memory, bytes, d.total_size, at) ==
		      (ssize_t)d.total_size);
		free(bytes);
		found++;
	}
	return found;
}

static void lie_in_shadow(pid_t shadow, const struct rights *rights)
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
			found += lie_in(memory, start, end, rights);
	fclose(maps);
	close(memory);
	CHECK(found);
}

/* A shadow describes itself after prepare has returned, before it answers. */
static void await_description(struct mitosis *device)
{
	struct mitosis_attachment *attachment;

	CHECK_EQ(mitosis_attach_local(device, ID, &attachment), 0);
	mitosis_detach(attachment);
}

/* The parent's, where a child is resumed from another machine. */
static struct machine machine;

enum way { LOCAL, ATTACHED, REMOTE, WAYS };

struct parent {
	const struct rights *rights;
	enum way way;
};

static void be_parent(void *argument)
{
	const struct parent *parent = argument;
	const struct rights *rights = parent->rights;
	pid_t self = getpid(), shadow;
	struct mitosis *device;
	int fd;

	if (parent->way == REMOTE)
		machine_enter(&machine);

	CHECK(!chdir(own_directory));
	if (rights->reaches) {
		fd = open(own_path, O_RDWR | O_CLOEXEC);
		CHECK(fd >= 0 && dup2(fd, NUMBER) == NUMBER && !close(fd));
	}
	if (rights->maps || rights->digests) {
		fd = open(own_path, O_RDONLY | O_CLOEXEC);
		mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
		CHECK(mapped != MAP_FAILED && *mapped == 'p' && !close(fd));
	}
	drop_rights(rights);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		_exit(what_it_has());
	await_description(device);
	shadow = find_process("mitosis-shadow", self);
	CHECK(shadow);
	lie_in_shadow(shadow, rights);
}

static int resume(enum way way)
{
	struct mitosis_attachment *attachment;
	struct mitosis *device;
	int err;

	int secret = memfd_create("secret", MFD_CLOEXEC);
	int directory = open("/dev", O_PATH | O_CLOEXEC);

	CHECK(dup3(secret, SECRET, O_CLOEXEC) == SECRET);
	CHECK(dup3(directory, DIRECTORY, O_CLOEXEC) == DIRECTORY);
	device = open_user();
	if (way == REMOTE) {
		err = mitosis_connect(device, 2, machine.address);
		return err ? err : mitosis_resume_remote(device, 2, ID);
	}
	if (way == LOCAL)
		return mitosis_resume_local(device, ID);
	err = mitosis_attach_local(device, ID, &attachment);
	return err ? err : mitosis_resume_attached(attachment);
}

static void check(const struct rights *rights, enum way way)
{
	const struct parent how = { rights, way };
	pid_t parent = start_waiting(be_parent, (void *)&how), pid;
	int status, want = IS_CHILD | (rights->no_new_privs ? 0 : HAS_PRIVILEGES);

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(-resume(way));
	status = status_within(pid, PATIENT_MS);
	printf("%s, way %d: status %#x\n", rights->name, way, status);
	if (rights->filtered)
		CHECK_EQ(WEXITSTATUS(status), EPERM);
	else if (rights->reaches)
		CHECK_EQ(WEXITSTATUS(status), ELOOP);
	else if (rights->digests)
		CHECK_EQ(WEXITSTATUS(status), ESTALE);
	else
		CHECK_EQ(WEXITSTATUS(status), want);
	kill_and_reap(parent);
}

static void make_file(char *path, const char *text, uid_t owner)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK(!fchown(fd, owner, -1) && !close(fd));
}

int main(void)
{
	static const struct rights all[] = {
		{ .name = "no capabilities" },
		{ .name = "no_new_privs", .no_new_privs = true },
		{ .name = "a filter", .no_new_privs = true, .filtered = true },
		{ .name = "other paths", .reaches = true },
		{ .name = "another directory", .moves = true },
		{ .name = "another mapping", .maps = true },
		{ .name = "a digest", .digests = true },
	};
	enum way way;
	size_t i;

	need_userfaultfd();
	CHECK(mkdtemp(own_directory));
	make_file(own_path, "private", 0);
	make_file(others_path, "secret", OTHERS);
	make_file(large_path, "large", 0);
	CHECK(!truncate(large_path, LARGE));
	if (geteuid() || (set_of("CapPrm") & NEEDED) != NEEDED ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ||
	    prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER)
		skip("needs root with its capabilities, and no seccomp filter");
	use_key("lying-parents");
	machine = machine_start(2);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (way = 0; way < WAYS; way++)
			check(&all[i], way);
	machine_stop(&machine);
	CHECK(!unlink(own_path) && !unlink(others_path) && !unlink(large_path) &&
	      !rmdir(own_directory));
	return 0;
}
