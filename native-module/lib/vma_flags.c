// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/vma_flags.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/cursor.h"
#include "lib/shadow_process.h"
#include "paging/raw_syscall.h"

#define READ_WINDOW (8u << 10)
/* Longer than any line but those with a long path, whose end is not needed. */
#define LINE_SIZE  512u
#define STACK_SIZE (16u << 10)
/* Resident pages from which on a process without them is forked: 64 MiB. */
#define MANY_PAGES 16384u

/* With DESCRIPTOR_VMA_*: MAP_GROWSDOWN; a userfaultfd serves what is missing. */
#define GROWS_DOWN 0x8000u
#define SERVED	   0x4000u

struct reading {
	const struct descriptor_vma *vmas;
	uint32_t count;
	uint32_t next;	     /* VMA that ends behind what has been read */
	uint64_t start, end; /* of the last VMA of smaps */
	uint16_t *flags;     /* per VMA: DESCRIPTOR_VMA_*, GROWS_DOWN, SERVED */
};

/* What a forked reader needs, in memory that it gets a copy of. */
struct reader {
	struct reading reading;
	char stack[STACK_SIZE] __attribute__((aligned(64)));
};

/* Two letters and a space for each flag: proc_pid_smaps(5). */
static uint16_t flags_of(const char *at)
{
	uint16_t flags = 0;

	for (; at[0] && at[1]; at++) {
		switch (at[0] << 8 | at[1]) {
		case 'w' << 8 | 'f':
			flags |= DESCRIPTOR_VMA_WIPE;
			break;
		case 'd' << 8 | 'd':
			flags |= DESCRIPTOR_VMA_NO_DUMP;
			break;
		case 'h' << 8 | 'g':
			flags |= DESCRIPTOR_VMA_HUGE;
			break;
		case 'n' << 8 | 'h':
			flags |= DESCRIPTOR_VMA_NO_HUGE;
			break;
		case 'm' << 8 | 'g':
			flags |= DESCRIPTOR_VMA_MERGEABLE;
			break;
		case 's' << 8 | 'l':
			flags |= DESCRIPTOR_VMA_SEALED;
			break;
		case 'd' << 8 | 'p':
			flags |= DESCRIPTOR_VMA_DROPPABLE;
			break;
		case 'm' << 8 | 'w':
			flags |= DESCRIPTOR_VMA_MAY_WRITE;
			break;
		case 'g' << 8 | 'd':
			flags |= GROWS_DOWN;
			break;
		case 'u' << 8 | 'm':
		case 'u' << 8 | 'i':
			flags |= SERVED;
			break;
		}
	}
	return flags;
}

/* The descriptor may have split a VMA of smaps, or lack it. */
static void set_flags(struct reading *r, uint16_t flags)
{
	while (r->next < r->count && r->vmas[r->next].end <= r->start)
		r->next++;
	for (; r->next < r->count && r->vmas[r->next].start < r->end; r->next++)
		r->flags[r->next] = flags;
}

/* "start-end ..." begins a VMA, whose last line is "VmFlags: rd wr ...". */
static void take_line(struct reading *r, const char *line)
{
	struct cursor c = { .at = line };
	uint64_t start = take_number(&c, 16);

	if (c.at > line && *c.at == '-') {
		c.at++;
		r->start = start;
		r->end = take_number(&c, 16);
	} else if (starts_with(line, "VmFlags:")) {
		set_flags(r, flags_of(line + sizeof("VmFlags:") - 1));
	}
}

static int read_smaps(struct reading *r)
{
	char window[READ_WINDOW], line[LINE_SIZE] = "";
	long fd = raw_open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	uint32_t length = 0;
	long i, n;

	if (fd < 0)
		return fd;
	while ((n = raw_syscall(SYS_read, fd, window, sizeof(window))) > 0) {
		for (i = 0; i < n; i++) {
			if (window[i] == '\n') {
				line[length] = '\0';
				take_line(r, line);
				length = 0;
			} else if (length < sizeof(line) - 1) {
				line[length++] = window[i];
			}
		}
	}
	raw_syscall(SYS_close, fd);
	return n;
}

static void __attribute__((noreturn)) run_reader(void *argument)
{
	struct reader *reader = argument;

	/* Whatever it returns, a wait status can hold. */
	raw_syscall(SYS_exit_group, read_smaps(&reader->reading) ? 1 : 0);
	shadow_process_exit();
}

/* The madvise(2) applies to all VMAs that have pages of their own. */
static void advise_populated(const struct reading *r, int advice)
{
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (r->vmas[i].kind == VMA_SNAPSHOT && !r->vmas[i].inode)
			raw_syscall(SYS_madvise, r->vmas[i].start,
				    r->vmas[i].end - r->vmas[i].start, advice);
}

/*
 * Has a forked process read its smaps, to r->flags, which it shares. This process has
 * been forked itself, so what has pages here is not wiped on fork, and may be for the
 * moment. False: read it here.
 */
static bool read_without_pages(const struct reading *r)
{
	struct reader *reader = shadow_process_map(sizeof(*reader));
	int status = -1;
	uint32_t i;
	long pid;

	if (!reader)
		return false;
	reader->reading = *r;
	advise_populated(r, MADV_WIPEONFORK);
	pid = shadow_process_fork(reader->stack + sizeof(reader->stack), run_reader,
				  reader, 0, NULL, NULL);
	advise_populated(r, MADV_KEEPONFORK);
	while (pid > 0 && raw_syscall(SYS_wait4, pid, &status, __WALL, 0) == -EINTR)
		;
	raw_syscall(SYS_munmap, reader, sizeof(*reader));
	for (i = 0; i < r->count; i++)
		if (r->vmas[i].kind == VMA_SNAPSHOT)
			r->flags[i] &= ~DESCRIPTOR_VMA_WIPE;
	return pid > 0 && status == 0;
}

static bool has_many_pages(void)
{
	char text[64];
	struct cursor c = { .at = text };
	long fd = raw_open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	long n;

	if (fd < 0)
		return false;
	n = raw_syscall(SYS_read, fd, text, sizeof(text) - 1);
	raw_syscall(SYS_close, fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The second number: resident pages. */
	take_number(&c, 10);
	skip(&c, ' ');
	return take_number(&c, 10) >= MANY_PAGES;
}

int vma_flags_read(struct descriptor_vma *vmas, uint32_t count, bool exact,
		   bool *served)
{
	struct reading r = { .vmas = vmas, .count = count };
	const uint64_t size = count * sizeof(*r.flags);
	long flags = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_VMA_FLAGS), size,
				 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);
	int err = 0;
	uint32_t i;

	if (flags < 0 && flags > -4096)
		return flags;
	r.flags = (uint16_t *)flags;
	if (!exact || !has_many_pages() || !read_without_pages(&r))
		err = read_smaps(&r);
	for (i = 0; !err && i < count; i++) {
		/* The vdso's are the kernel's own affair. */
		if (vmas[i].kind == VMA_KERNEL)
			continue;
		vmas[i].flags |= r.flags[i] & ~(GROWS_DOWN | SERVED);
		if (!(vmas[i].map_flags & MAP_SHARED))
			vmas[i].flags &= ~DESCRIPTOR_VMA_MAY_WRITE;
		/* All parts of a stack that mlock(2), say, has split. */
		if (r.flags[i] & GROWS_DOWN)
			vmas[i].map_flags |= MAP_GROWSDOWN | MAP_STACK;
		if (r.flags[i] & SERVED) {
			*served = true;
			/* What nobody has touched yet need not be zeros. */
			if (vmas[i].kind == VMA_EMPTY)
				vmas[i].kind = VMA_SNAPSHOT;
		}
		if (r.flags[i] & DESCRIPTOR_VMA_WIPE)
			vmas[i].kind = VMA_EMPTY;
	}
	raw_syscall(SYS_munmap, flags, size);
	return err;
}
