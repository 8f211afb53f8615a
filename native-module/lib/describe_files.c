// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/describe_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/cursor.h"
#include "lib/describe_file_kinds.h"
#include "lib/describe_sockets.h"
#include "lib/foreign_uffd.h"
#include "lib/restore.h"
#include "paging/raw_syscall.h"

/* A path and what /proc puts before or behind it. */
#define PATH_SIZE 4352u

#define STANDARD 0x80000000u /* in the order: a standard file's number */

static const char userfaultfd[] = "anon_inode:[userfaultfd]";

static const struct file_key *key_of(const struct described_files *files,
				     uint32_t entry)
{
	return entry & STANDARD ? &files->standard[entry & ~STANDARD]
				: &files->keys[entry];
}

static struct file_key file_key(uint32_t number, const struct stat *st)
{
	return (struct file_key){
		.device = st->st_dev,
		.inode = st->st_ino,
		.number = number,
	};
}

/* As kcmp(2), which is asked only for what is not different by its key. */
static long compare(const struct file_key *a, const struct file_key *b, long self)
{
	if (a->device != b->device)
		return a->device < b->device ? 1 : 2;
	if (a->inode != b->inode)
		return a->inode < b->inode ? 1 : 2;
	if (a->event != b->event)
		return a->event < b->event ? 1 : 2;
	return raw_syscall(SYS_kcmp, self, self, KCMP_FILE, a->number, b->number);
}

/* Returns the entry of the same open file; else `entry`, which becomes one. */
static uint32_t find_same(struct described_files *files, uint32_t entry)
{
	uint32_t low = 0, high = files->order_count, i;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		long order =
			compare(key_of(files, entry),
				key_of(files, files->order[middle]), files->process);

		if (!order)
			return files->order[middle];
		if (order < 0) {
			files->kcmp_fails = true;
			return entry;
		}
		if (order == 1)
			high = middle;
		else
			low = middle + 1;
	}
	for (i = files->order_count++; i > low; i--)
		files->order[i] = files->order[i - 1];
	files->order[low] = entry;
	return entry;
}

/* Without kcmp(2): whether the file may be the same open file as another one. */
static bool may_be_shared(const struct described_files *files,
			  const struct open_file *f)
{
	const struct descriptor_fd *fd = f->fd, *other;
	struct stat st;
	long i;

	for (i = 0; i < (long)DESCRIPTOR_FD_FIRST; i++)
		if (!raw_syscall(SYS_fstat, i, &st) && st.st_dev == fd->device &&
		    st.st_ino == fd->inode &&
		    raw_syscall(SYS_fcntl, i, F_GETFL) == fd->open_flags)
			return true;
	for (other = files->fds; other < fd; other++)
		if (other->device == fd->device && other->inode == fd->inode &&
		    other->open_flags == fd->open_flags)
			return true;
	return false;
}

static void describe_file(struct described_files *files, struct open_file *f)
{
	struct descriptor_fd *fd = f->fd;
	uint32_t index = fd - files->fds;
	uint32_t same;

	files->keys[index] = file_key(fd->number, &f->st);
	if (is_text(f->path, "anon_inode:[eventfd]"))
		files->keys[index].event = described_event_id(files, fd->number);
	same = find_same(files, index);
	if (same & STANDARD) {
		fd->kind = FD_STANDARD;
		fd->values[0] = same & ~STANDARD;
	} else if (same != index) {
		fd->kind = files->fds[same].kind;
		fd->shares = same;
	} else if (files->kcmp_fails && may_be_shared(files, f)) {
		described_file_refuse(fd, FD_REFUSAL_SHARING);
	} else {
		describe_file_kind(files, f);
	}
}

/* The plan by which this process became a child, if the line of maps is its area. */
static const struct restore_plan *plan_at(const char *line)
{
	const struct restore_plan *plan;
	struct cursor c = { .at = line };
	uint64_t start = take_number(&c, 16), end;

	c.at++;
	end = take_number(&c, 16);
	if (end - start != RESTORER_KEPT_SIZE || !starts_with(c.at, " rwxp "))
		return NULL;
	plan = (const void *)(start + RESTORER_CODE_SIZE);
	return plan->magic == RESTORE_PLAN_MAGIC && plan->restorer == start ? plan
									    : NULL;
}

static const struct restore_plan *find_plan(struct described_files *files)
{
	long fd = raw_open("/proc/self/maps", O_RDONLY | O_CLOEXEC), n;
	const struct restore_plan *plan = NULL;
	char *text = files->text, *line, *p;
	uint64_t kept = 0;

	files->informed_of = 0;
	while (fd >= 0 && !plan &&
	       (n = raw_syscall(SYS_read, fd, text + kept,
				FILES_TEXT_SIZE - 1 - kept)) > 0) {
		text[kept + n] = '\0';
		for (line = p = text; *p && !plan; p++) {
			if (*p != '\n')
				continue;
			plan = plan_at(line);
			line = p + 1;
		}
		for (kept = 0; line[kept]; kept++)
			text[kept] = line[kept];
	}
	if (fd >= 0)
		raw_syscall(SYS_close, fd);
	return plan;
}

/* What keeps the memory of a resumed child safe: see lib/child_files.h. */
static bool is_of_a_child(struct described_files *files, const struct open_file *f)
{
	bool uffd = is_text(f->path, userfaultfd);

	if (!uffd && !(S_ISFIFO(f->st.st_mode) && f->fd->open_flags & O_ASYNC))
		return false;
	if (!files->plan)
		files->plan = find_plan(files);
	return files->plan &&
	       f->fd->number == (uint32_t)(uffd ? files->plan->uffd
						: files->plan->lifeline[0]);
}

static bool is_own(const struct shadow_arena *arena, uint32_t number,
		   const struct stat *st)
{
	uint32_t i;

	for (i = 0; i < arena->own_file_count; i++)
		if ((uint32_t)arena->own_files[i].fd == number &&
		    arena->own_files[i].device == st->st_dev &&
		    arena->own_files[i].inode == st->st_ino)
			return true;
	return number == (uint32_t)arena->channel;
}

static bool is_left_out(const struct prepare_settings *settings, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < settings->left_out_count; i++)
		if ((uint32_t)settings->left_out[i] == number)
			return true;
	return false;
}

static void add_file(const struct shadow_arena *arena, struct described_files *files,
		     uint32_t number)
{
	char *path = files->strings + files->strings_size;
	struct descriptor_fd *fd = &files->fds[files->count];
	struct open_file f = { .fd = fd, .path = path };
	char name[PROC_NAME_SIZE];
	long n, position;

	if (raw_syscall(SYS_fstat, number, &f.st) || is_own(arena, number, &f.st))
		return;
	name_file(name, "", number);
	n = raw_syscall(SYS_readlinkat, files->directory, name, path, PATH_SIZE - 1);
	path[n > 0 ? n : 0] = '\0';
	position = raw_syscall(SYS_lseek, number, 0, SEEK_CUR);
	*fd = (struct descriptor_fd){
		.number = number,
		.flags = raw_syscall(SYS_fcntl, number, F_GETFD) & FD_CLOEXEC
				 ? DESCRIPTOR_FD_CLOSE_ON_EXEC
				 : 0,
		.open_flags = raw_syscall(SYS_fcntl, number, F_GETFL),
		.shares = DESCRIPTOR_FD_OWN,
		.path = files->strings_size,
		.position = position < 0 ? 0 : position,
		.device = f.st.st_dev,
		.inode = f.st.st_ino,
	};
	if (is_of_a_child(files, &f))
		return;
	if (is_text(path, userfaultfd))
		files->deaf_uffd |= foreign_uffd_is_deaf(number);
	if (is_left_out(&arena->settings, number))
		return;
	files->strings_size += (n > 0 ? n : 0) + 1;
	describe_file(files, &f);
	files->count++;
}

/* Calls add_file() for each, if `files` is not NULL; counts them in any case. */
static long for_each(const struct shadow_arena *arena, long dir,
		     struct described_files *files)
{
	char buffer[4096] __attribute__((aligned(8)));
	long count = 0, n, at;

	raw_syscall(SYS_lseek, dir, 0, SEEK_SET);
	while ((n = raw_syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n;) {
			const struct dirent64 *entry = (void *)(buffer + at);
			struct cursor c = { .at = entry->d_name };
			uint32_t number = take_number(&c, 10);

			at += entry->d_reclen;
			if (entry->d_name[0] == '.' ||
			    number < DESCRIPTOR_FD_FIRST || number == dir)
				continue;
			count++;
			if (files && files->count < files->capacity)
				add_file(arena, files, number);
		}
	return n ? n : count;
}

static int map_room(struct described_files *files, uint32_t capacity,
		    uint64_t page_size)
{
	uint64_t size =
		capacity * (sizeof(*files->fds) + sizeof(*files->keys) + PATH_SIZE) +
		(capacity + DESCRIPTOR_FD_FIRST) * sizeof(*files->order) +
		FILES_TEXT_SIZE + DESCRIPTOR_DATA_MAX;
	long p;

	size = (size + page_size - 1) & ~(page_size - 1);
	p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_OPEN_FILES), size,
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p < 0 && p > -4096)
		return p;
	files->map = (char *)p;
	files->map_size = size;
	files->capacity = capacity;
	files->fds = (struct descriptor_fd *)p;
	files->keys = (struct file_key *)(files->fds + capacity);
	files->order = (uint32_t *)(files->keys + capacity);
	files->text = (char *)(files->order + capacity + DESCRIPTOR_FD_FIRST);
	files->data = files->text + FILES_TEXT_SIZE;
	files->strings = files->data + DESCRIPTOR_DATA_MAX;
	return 0;
}

/* What a userfaultfd of the parent serves would read as zeros here. */
static int refuse_served(struct shadow_arena *arena)
{
	int err = foreign_uffd_find(arena->page_size, &arena->refusal.size);

	if (err == -EOPNOTSUPP)
		arena->refusal.cause = REFUSED_SERVED;
	return err;
}

int describe_files(struct shadow_arena *arena, struct described_files *files)
{
	long dir = raw_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long count = dir < 0 ? dir : for_each(arena, dir, NULL), i;
	int err = count < 0 ? count : 0;
	struct stat st;

	files->directory = dir;
	files->process = raw_syscall(SYS_getpid);
	if (count > 0)
		err = map_room(files, count, arena->page_size);
	for (i = 0; count > 0 && !err && i < (long)DESCRIPTOR_FD_FIRST; i++)
		if (!raw_syscall(SYS_fstat, i, &st)) {
			files->standard[i] = file_key(i, &st);
			find_same(files, STANDARD | i);
		}
	if (count > 0 && !err) {
		count = for_each(arena, dir, files);
		err = count < 0 ? count : 0;
	}
	if (!err && files->count)
		describe_socket_pairs(files);
	if (!err && files->deaf_uffd)
		err = refuse_served(arena);
	if (dir >= 0)
		raw_syscall(SYS_close, dir);
	return err;
}
