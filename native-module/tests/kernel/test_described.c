// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptions and opened snapshots by plain system calls: what the module takes of what a
 * process tells of itself, and each invalid description and range that it refuses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/build_id.h"
#include "proto/descriptor.h"
#include "tests/harness.h"
#include "tests/kernel/description.h"

#define PAGE   4096
#define ID     31
#define NOBODY 65534
#define FAR    (1ul << 41) /* no program or library is there */

static int open_device(void)
{
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		skip("needs the kernel module, as tests/qemu/run has it");
	CHECK(fd >= 0);
	return fd;
}

/* Returns the result of ioctl(2), or -errno. */
static int call(int fd, unsigned long command, const void *argument)
{
	int result = ioctl(fd, command, argument);

	return result < 0 ? -errno : result;
}

static int prepare_sized(int fd, const void *description, uint64_t size,
			 uint32_t flags)
{
	struct mitosis_described request = {
		.handler_id = ID,
		.flags = flags,
		.description = (uintptr_t)description,
		.size = size,
	};

	return call(fd, MITOSIS_IOC_PREPARE_DESCRIBED, &request);
}

static int prepare(int fd, const struct description *d)
{
	return prepare_sized(fd, d, sizeof(*d), 0);
}

static void unprepare(int fd)
{
	uint32_t id = ID;

	CHECK_EQ(call(fd, MITOSIS_IOC_UNPREPARE, &id), 0);
}

static int open_snapshot(int fd)
{
	uint32_t id = ID;

	return call(fd, MITOSIS_IOC_OPEN_LOCAL, &id);
}

/* Each must be refused; none leaves a snapshot. */
static void invalid_descriptions(int fd)
{
	struct description d = description_make();
	uint32_t i;

	CHECK_EQ(call(fd, MITOSIS_IOC_PREPARE_DESCRIBED, NULL), -EFAULT);
	CHECK_EQ(prepare_sized(fd, (void *)PAGE, sizeof(d), 0), -EFAULT);
	CHECK_EQ(prepare_sized(fd, &d, sizeof(d), 2), -EINVAL);
	CHECK_EQ(prepare_sized(fd, &d, 0, 0), -EINVAL);
	CHECK_EQ(prepare_sized(fd, &d, sizeof(d) - 1, 0), -EINVAL);
	CHECK_EQ(prepare_sized(fd, &d, MITOSIS_DESCRIPTION_SIZE_MAX + 1ull, 0),
		 -E2BIG);
	CHECK_EQ(prepare_sized(fd, &d, ~0ull, 0), -E2BIG);
	for (i = 0; i < 10; i++) {
		d = description_make();
		switch (i) {
		case 0:
			d.header.magic++;
			break;
		case 1:
			d.header.vma_count = 1;
			break;
		case 2:
			d.header.thread_count = DESCRIPTOR_THREADS_MAX;
			break;
		case 3:
			d.other.tid = d.caller.tid;
			break;
		case 4:
			d.fd.number = 2;
			break;
		case 5:
			d.fd.data_size = sizeof(d.data) + 1;
			break;
		case 6:
			d.fd.path = sizeof(d.path);
			break;
		case 7:
			d.path[sizeof(d.path) - 1] = 'x';
			break;
		case 8:
			d.header.state.known = PROCESS_PROGRAM;
			d.header.state.program = sizeof(d.path);
			break;
		case 9:
			d.other.frame = USER_MEMORY_END;
			break;
		}
		CHECK_EQ(prepare(fd, &d), -EINVAL);
	}
	CHECK_EQ(open_snapshot(fd), -ENOENT);
}

/* Its VMAs are known at the first request for the descriptor. */
static void frame_without_memory(int fd)
{
	struct description d = description_make();

	d.other.frame = PAGE;
	CHECK_EQ(prepare(fd, &d), 0);
	CHECK_EQ(open_snapshot(fd), -EBADMSG);
	CHECK_EQ(open_snapshot(fd), -EBADMSG);
	unprepare(fd);
}

/* The same of a bare prepare: the address is the process's to choose. */
static void address_without_memory(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = open_device();

		syscall(SYS_set_tid_address, PAGE);
		if (call(fd, MITOSIS_PREPARE, (void *)(uintptr_t)ID))
			_exit(1);
		_exit(open_snapshot(fd) == -EBADMSG ? 0 : 2);
	}
	status = status_within(pid, 10000);
	CHECK_EQ(status, 0);
}

static struct descriptor_header *read_descriptor(int opened)
{
	struct descriptor_header *d = malloc(1 << 20);
	ssize_t size = read(opened, d, 1 << 20);

	CHECK(size > (ssize_t)sizeof(*d) && d->total_size == (uint64_t)size);
	CHECK(!descriptor_check(d, size, PAGE));
	return d;
}

static bool equals_text(const char *text, const char *expected)
{
	return !strcmp(text, expected);
}

static void what_was_told(const struct descriptor_header *d)
{
	const struct descriptor_fd *fd = descriptor_fds(d);

	CHECK(!(d->flags & DESCRIPTOR_THREADS_MISSING));
	CHECK(d->thread_count == 2 && d->process == getpid());
	CHECK_EQ(descriptor_stopped_threads(d)->tid, getpid() + 1);
	CHECK(d->fd_count == 1 && fd->number == 9 && fd->kind == FD_PIPE);
	CHECK(equals_text(descriptor_string(d, fd->path), DESCRIPTION_PATH));
	CHECK(equals_text(descriptor_fd_data(d, fd), DESCRIPTION_DATA));
	CHECK_EQ(d->state.file_mode_mask, 027);
	CHECK(!(d->state.known & (PROCESS_PROGRAM | PROCESS_WORKING_DIRECTORY)));
	/* What the module writes itself: all of the description was 0 there. */
	CHECK(d->vma_count && d->xstate_size && d->layout.start_stack);
	CHECK_EQ(d->owner_pid, getpid());
}

/* What the description did not have of the process's state, and the module reads. */
static void what_was_added(const struct descriptor_process *p)
{
	const uint64_t added = PROCESS_LIMITS | PROCESS_SCHEDULING |
			       PROCESS_OOM_SCORE | PROCESS_COREDUMP_FILTER |
			       PROCESS_AUXV | PROCESS_TIMER_SLACK |
			       PROCESS_PERSONALITY;
	struct rlimit limit;
	uint32_t i;

	CHECK_EQ(p->known & added, added);
	for (i = 0; i < DESCRIPTOR_LIMITS; i++) {
		CHECK(!getrlimit(i, &limit));
		CHECK_EQ(p->limits[i].soft, limit.rlim_cur);
		CHECK_EQ(p->limits[i].hard, limit.rlim_max);
	}
	CHECK_EQ(p->nice, getpriority(PRIO_PROCESS, 0));
	CHECK_EQ(p->timer_slack_ns, prctl(PR_GET_TIMERSLACK));
	CHECK_EQ(p->personality, personality(0xffffffff));
	for (i = 0; i < p->auxv_words && p->auxv[i] != AT_ENTRY; i += 2)
		;
	CHECK(i < p->auxv_words && p->auxv[i + 1] == getauxval(AT_ENTRY));
	CHECK_EQ(p->fresh, 0);
}

/* The build-id of this program, whose code is a private mapping. */
static void which_build(const struct descriptor_header *d)
{
	const struct descriptor_vma *vma = descriptor_vmas(d);
	const uint64_t code = (uintptr_t)which_build;
	char window[BUILD_ID_WINDOW] __attribute__((aligned(8)));
	char own[BUILD_ID_TEXT];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(read(fd, window, sizeof(window)), sizeof(window));
	close(fd);
	build_id_find(window, sizeof(window), own);
	while (vma->end <= code)
		vma++;
	CHECK_EQ(vma->kind, VMA_FILE);
	CHECK(*own && equals_text(descriptor_string(d, vma->build_id), own));
}

static int become(int opened, uint64_t start, uint64_t end)
{
	struct mitosis_kept_memory kept = { start, end };

	return call(opened, MITOSIS_IOC_BECOME, &kept);
}

/* The start of the vdso of this process. */
static uint64_t vdso(void)
{
	char line[512];
	unsigned long start = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[vdso]"))
			sscanf(line, "%lx", &start);
	CHECK(start);
	fclose(maps);
	return start;
}

/* The caller is as it was. */
static void ranges_that_cannot_stay(int opened, const struct descriptor_header *d)
{
	const uint64_t end = USER_MEMORY_END, stack = (uintptr_t)&d & -PAGE;
	char *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uintptr_t)own;

	CHECK(own != MAP_FAILED);
	memset(own, 'o', PAGE);
	CHECK_EQ(call(opened, MITOSIS_IOC_BECOME, NULL), -EFAULT);
	CHECK_EQ(become(opened, at + 1, at + PAGE), -EINVAL);
	CHECK_EQ(become(opened, at, at + PAGE - 1), -EINVAL);
	CHECK_EQ(become(opened, at + PAGE, at), -EINVAL);
	CHECK_EQ(become(opened, at, 0), -EINVAL);
	CHECK_EQ(become(opened, at, at), -EINVAL);
	CHECK_EQ(become(opened, end - PAGE, end + PAGE), -EINVAL);
	CHECK_EQ(become(opened, -PAGE, ~0ull), -EINVAL);
	CHECK_EQ(become(opened, vdso(), vdso() + PAGE), -EINVAL);
	CHECK_EQ(become(opened, stack, stack + PAGE), -EINVAL);
	CHECK_EQ(become(opened, PAGE, end), -EINVAL);
	/* It had two threads. */
	CHECK_EQ(become(opened, 0, 0), -EINVAL);
	CHECK(own[0] == 'o' && own[PAGE - 1] == 'o');
	munmap(own, PAGE);
}

/*
 * A child keeps nothing that it has from its snapshot: faults in what it then prepares would nest
 * without a limit.
 */
static void memory_of_a_child(void)
{
	int without = open_device(), with = open_device(), opened, status;
	pid_t self = getpid(), pid;
	char *page;

	CHECK_EQ(call(without, MITOSIS_PREPARE, (void *)(uintptr_t)ID), 0);
	page = mmap((void *)FAR, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(page == (void *)FAR);
	*page = 'p';
	CHECK_EQ(call(with, MITOSIS_PREPARE, (void *)(uintptr_t)(ID + 1)), 0);
	if (getpid() != self) {
		opened = open_snapshot(open_device());
		if (opened < 0 || *page != 'p')
			_exit(1);
		_exit(become(opened, FAR, FAR + PAGE) == -EINVAL ? 0 : 2);
	}
	pid = fork();
	if (pid == 0) {
		call(open_device(), MITOSIS_RESUME_LOCAL,
		     (void *)(uintptr_t)(ID + 1));
		_exit(3);
	}
	status = status_within(pid, 10000);
	CHECK_EQ(status, 0);
	munmap(page, PAGE);
	close(with);
	close(without);
}

/* An opened snapshot is for who has opened it. */
static void other_user(int opened)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(2);
		_exit(become(opened, PAGE, 2 * PAGE) == -EPERM ? 0 : 1);
	}
	status = status_within(pid, 10000);
	CHECK_EQ(status, 0);
}

int main(void)
{
	struct description d = description_make();
	struct descriptor_header *descriptor;
	int fd = open_device(), opened;

	if (ioctl(fd, MITOSIS_IOC_OPEN_LOCAL, NULL) < 0)
		CHECK_EQ(errno, EFAULT);
	CHECK_EQ(open_snapshot(fd), -ENOENT);
	CHECK_EQ(call(fd, MITOSIS_IOC_OPEN_REMOTE,
		      &(struct mitosis_remote_req){ 12345, ID }),
		 -ENOTCONN);
	CHECK_EQ(call(fd, MITOSIS_IOC_BECOME, &d), -ENOTTY);
	invalid_descriptions(fd);
	frame_without_memory(fd);
	address_without_memory();
	memory_of_a_child();
	CHECK_EQ(prepare(fd, &d), 0);
	opened = open_snapshot(fd);
	CHECK(opened >= 0);
	CHECK(fcntl(opened, F_GETFD) & FD_CLOEXEC);
	CHECK_EQ(call(opened, MITOSIS_NIL, NULL), -ENOTTY);
	CHECK_EQ(call(opened, MITOSIS_IOC_OPEN_LOCAL, NULL), -ENOTTY);
	descriptor = read_descriptor(opened);
	what_was_told(descriptor);
	what_was_added(&descriptor->state);
	which_build(descriptor);
	ranges_that_cannot_stay(opened, descriptor);
	if (getuid() == 0)
		other_user(opened);
	/* Dropped, it has no new children, nor has its id's next snapshot by this file. */
	unprepare(fd);
	CHECK_EQ(become(opened, 0, 0), -ENOENT);
	CHECK_EQ(call(fd, MITOSIS_PREPARE, (void *)(uintptr_t)ID), 0);
	CHECK_EQ(call(fd, MITOSIS_RESUME_LOCAL, (void *)(uintptr_t)(ID + 1)),
		 -ENOENT);
	unprepare(fd);
	close(opened);
	free(descriptor);
	close(fd);
	return 0;
}
