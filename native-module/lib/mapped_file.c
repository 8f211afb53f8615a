// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows, too, up to mapped_file_open(): no libc, no globals. */
#define _GNU_SOURCE
#include "lib/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/parent_path.h"
#include "paging/raw_syscall.h"

#define PAGE_SIZE 4096u

static uint32_t major_of(uint64_t device)
{
	return (device >> 8 & 0xfff) | (device >> 32 & 0xfffff000);
}

static uint32_t minor_of(uint64_t device)
{
	return (device & 0xff) | (device >> 12 & 0xffffff00);
}

/* By the numbers that the descriptor has. */
static bool is_mapped_file(const struct descriptor_vma *vma, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_ino == vma->inode &&
	       major_of(st->st_dev) == vma->device_major &&
	       minor_of(st->st_dev) == vma->device_minor;
}

static uint64_t version_of(const struct stat *st)
{
	const struct descriptor_time written = { st->st_mtim.tv_sec,
						 st->st_mtim.tv_nsec };
	const struct descriptor_time changed = { st->st_ctim.tv_sec,
						 st->st_ctim.tv_nsec };

	return descriptor_file_version(st->st_size, written, changed);
}

static char *put_hex(char *to, uint64_t value)
{
	int shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[value >> shift & 15];
	return to;
}

void mapped_file_link(const struct descriptor_vma *vma, char path[MAPPED_FILE_LINK])
{
	static const char directory[] = "/proc/self/map_files/";
	char *end = path;
	const char *from = directory;

	while (*from)
		*end++ = *from++;
	end = put_hex(end, vma->start);
	*end++ = '-';
	*put_hex(end, vma->end) = '\0';
}

/*
 * What is mapped and what lies at the path are one file, though the kernel shows other
 * numbers of it in /proc/PID/maps than stat(2) has, as btrfs and overlayfs do.
 */
static bool is_linked(const struct descriptor_vma *vma, const struct stat *st)
{
	char link[MAPPED_FILE_LINK];
	struct stat mapped;

	mapped_file_link(vma, link);
	return S_ISREG(st->st_mode) &&
	       !raw_syscall(SYS_newfstatat, AT_FDCWD, link, &mapped, 0) &&
	       mapped.st_dev == st->st_dev && mapped.st_ino == st->st_ino;
}

#define BOOT_SIZE 40 /* 36 characters, and zeros */

/* False if it cannot be read. */
static bool read_boot(char boot[BOOT_SIZE])
{
	long fd = raw_open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	long n;

	if (fd < 0)
		return false;
	n = raw_syscall(SYS_read, fd, boot, BOOT_SIZE);
	raw_syscall(SYS_close, fd);
	return n >= 36;
}

uint64_t mapped_file_boot(void)
{
	char boot[BOOT_SIZE] __attribute__((aligned(8))) = { 0 };

	return read_boot(boot) ? descriptor_hash(boot, sizeof(boot)) | 2 : 0;
}

struct identity {
	char boot[BOOT_SIZE]; /* another machine is another boot */
	uint64_t device, inode;
	uint64_t born_s, born_ns;
	uint64_t handle_type;
	unsigned char handle[MAX_HANDLE_SZ];
};

/*
 * Which file it is, whatever is written to it: no other file has it, not even one that
 * gets its inode. `path` is "" for the file of the descriptor `at`.
 */
static uint64_t identity_of(int at, const char *path, const struct stat *st)
{
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	struct identity id = { .device = st->st_dev, .inode = st->st_ino };
	struct statx born;
	int mount;

	if (!read_boot(id.boot))
		return DESCRIPTOR_FILE_UNKNOWN;
	if (!raw_syscall(SYS_name_to_handle_at, at, path, &handle.head, &mount,
			 *path ? AT_SYMLINK_FOLLOW : AT_EMPTY_PATH)) {
		id.handle_type = (uint32_t)handle.head.handle_type;
		__builtin_memcpy(id.handle, handle.head.f_handle,
				 handle.head.handle_bytes);
	} else if (!raw_syscall(SYS_statx, at, path, *path ? 0 : AT_EMPTY_PATH,
				STATX_BTIME, &born) &&
		   born.stx_mask & STATX_BTIME) {
		id.born_s = born.stx_btime.tv_sec;
		id.born_ns = born.stx_btime.tv_nsec;
	}
	return descriptor_hash(&id, sizeof(id)) | 2;
}

/* False if it is another file. Else its device and inode become those of stat(2). */
static bool take_numbers(struct descriptor_vma *vma, const struct stat *st)
{
	if (is_mapped_file(vma, st))
		return true;
	if (!is_linked(vma, st))
		return false;
	vma->inode = st->st_ino;
	vma->device_major = major_of(st->st_dev);
	vma->device_minor = minor_of(st->st_dev);
	return true;
}

uint64_t mapped_file_version(struct descriptor_vma *vma, const char *path)
{
	struct stat st;
	long err = raw_syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0);

	if (err)
		return err == -ENOENT || err == -ENOTDIR ? DESCRIPTOR_FILE_GONE
							 : DESCRIPTOR_FILE_UNKNOWN;
	if (!take_numbers(vma, &st))
		return DESCRIPTOR_FILE_GONE;
	return vma->map_flags & MAP_SHARED ? identity_of(AT_FDCWD, path, &st)
					   : version_of(&st);
}

bool mapped_file_digest(struct descriptor_vma *vma, const char *path, uint64_t *left,
			char text[FILE_CONTENTS_TEXT])
{
	long fd = raw_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	bool done;

	if (fd < 0)
		return false;
	done = !raw_syscall(SYS_fstat, fd, &st) && take_numbers(vma, &st) &&
	       file_digest(fd, left, text);
	raw_syscall(SYS_close, fd);
	return done;
}

bool mapped_file_has_name(const struct descriptor_vma *vma, const char *path)
{
	struct stat st;

	return !raw_syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0) &&
	       (is_mapped_file(vma, &st) || is_linked(vma, &st));
}

void mapped_file_unescape(const struct descriptor_vma *vma, char *path)
{
	char *to = path;
	const char *from;

	for (from = path; *from && *from != '\\'; from++)
		;
	/* The kernel escapes no backslash. */
	if (!*from || mapped_file_has_name(vma, path))
		return;
	for (from = path; *from;) {
		if (from[0] == '\\' && from[1] == '0' && from[2] == '1' &&
		    from[3] == '2') {
			*to++ = '\n';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/*
 * Whether the parent has mapped this very file, so that its snapshot has the bytes that were
 * written to it since. On another machine the numbers can be the same by chance.
 */
static bool is_of_this_machine(const struct descriptor_header *d)
{
	return d->boot && d->boot == mapped_file_boot();
}

/* While a snapshot of this machine's module is there, no other file gets an inode of its files. */
static bool is_kept_by_module(const struct descriptor_header *d)
{
	return !d->instance && is_of_this_machine(d);
}

/* A parent of the kernel module tells a shared file by its times, too, which change as it is written to. */
static bool is_same(const struct descriptor_header *d,
		    const struct descriptor_vma *vma, int fd, const struct stat *st)
{
	if (!(vma->map_flags & MAP_SHARED))
		return descriptor_same_version(vma, version_of(st));
	return vma->file_version > DESCRIPTOR_FILE_GONE &&
	       (vma->file_version == identity_of(fd, "", st) ||
		vma->file_version == version_of(st) || is_kept_by_module(d));
}

/*
 * Returns a descriptor with O_PATH, which neither reads nor waits, of the regular file that
 * has these numbers; else a negative number. *same: nothing tells it from the parent's.
 */
static int find_file(const struct descriptor_header *d,
		     const struct descriptor_vma *vma, bool *same)
{
	const char *path = descriptor_string(d, vma->name);
	long fd = parent_path_open(path, 0);
	struct stat st;

	*same = false;
	if (fd >= 0 &&
	    (raw_syscall(SYS_fstat, fd, &st) || !is_mapped_file(vma, &st))) {
		raw_syscall(SYS_close, fd);
		fd = -1;
	}
	*same = fd >= 0 && is_same(d, vma, fd, &st);
	return fd;
}

/* Copies what can be read: behind the file's end nothing can. */
static bool copy_readable(uint64_t from, uint64_t to, uint64_t size)
{
	const long self = raw_syscall(SYS_getpid);
	uint64_t done = 0;

	raw_syscall(SYS_mprotect, from, size, PROT_READ);
	while (done < size) {
		struct iovec local = { (void *)(to + done), size - done };
		struct iovec remote = { (void *)(from + done), size - done };
		long n = raw_syscall(SYS_process_vm_readv, self, &local, 1, &remote,
				     1, 0);

		if (n == -EFAULT)
			n = PAGE_SIZE;
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

/* Replaces a mapping by a private copy of its bytes. */
static bool make_private(const struct descriptor_vma *vma)
{
	uint64_t size = vma->end - vma->start;
	long p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_MAPPED_FILE), size,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p < 0 && p > -4096)
		return false;
	return copy_readable(vma->start, p, size) &&
	       !raw_syscall(SYS_mprotect, p, size, vma->protection) &&
	       raw_syscall(SYS_mremap, p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   vma->start) == (long)vma->start;
}

/* The signals of this process wait: what a write to a pipe without a reader raises is taken back. */
static void tell_of_copy(int to, const char *path)
{
	static const char before[] = "mitosis: '";
	static const char after[] =
		"', which the parent of this process has mapped for writing, is "
		"not here: it has a copy of its own\n";
	struct iovec line[] = {
		{ (void *)before, sizeof(before) - 1 },
		{ (void *)path, 0 },
		{ (void *)after, sizeof(after) - 1 },
	};
	const uint64_t of_pipe = 1ull << (SIGPIPE - 1);
	const struct timespec none = { 0 };

	while (path[line[1].iov_len])
		line[1].iov_len++;
	if (raw_syscall(SYS_writev, to, line, 3) == -EPIPE)
		raw_syscall(SYS_rt_sigtimedwait, &of_pipe, NULL, &none,
			    sizeof(of_pipe));
}

bool mapped_files_leave_foreign(const struct descriptor_header *d, int tell_to)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t told = DESCRIPTOR_NO_STRING; /* the last path */
	uint32_t i;

	for (i = 0; i < d->vma_count; i++) {
		bool same;
		int fd;

		if (vmas[i].kind != VMA_FILE || !(vmas[i].map_flags & MAP_SHARED))
			continue;
		fd = find_file(d, &vmas[i], &same);
		if (fd >= 0)
			raw_syscall(SYS_close, fd);
		if (same)
			continue;
		if (!make_private(&vmas[i]))
			return false;
		if (tell_to >= 0 && mapped_file_is_written(&vmas[i]) &&
		    vmas[i].name != told)
			tell_of_copy(tell_to, descriptor_string(d, vmas[i].name));
		told = vmas[i].name;
	}
	return true;
}

bool mapped_file_may_be_mapped(int fd, const struct descriptor_vma *vma)
{
	struct statvfs fs;

	return !(vma->protection & PROT_EXEC) || fstatvfs(fd, &fs) ||
	       !(fs.f_flag & ST_NOEXEC);
}

bool mapped_file_is_written(const struct descriptor_vma *vma)
{
	return vma->map_flags & MAP_SHARED &&
	       (vma->protection & PROT_WRITE ||
		vma->flags & DESCRIPTOR_VMA_MAY_WRITE);
}

static int reopen(int found, const struct descriptor_vma *vma)
{
	const int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	char path[64];
	int fd;

	/* O_NONBLOCK: not even for the end of a lease. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	fd = open(path, (mapped_file_is_written(vma) ? O_RDWR : O_RDONLY) | flags);
	/* What could only become writable is worth having without that, too. */
	if (fd < 0 && !(vma->protection & PROT_WRITE))
		fd = open(path, O_RDONLY | flags);
	return fd;
}

bool mapped_file_is_known(const struct descriptor_vma *vma)
{
	return vma->build_id != DESCRIPTOR_NO_STRING ||
	       vma->digest != DESCRIPTOR_NO_STRING;
}

int mapped_file_open(const struct descriptor_header *d,
		     const struct descriptor_vma *vma, uint64_t *left,
		     struct file_difference *difference)
{
	bool same;
	int found = find_file(d, vma, &same), fd = -1;

	difference->by = NULL;
	if (found < 0)
		return -1;
	if (same || (mapped_file_is_known(vma) && is_of_this_machine(d)))
		fd = reopen(found, vma);
	close(found);
	if (fd < 0)
		return -1;
	if (!(vma->map_flags & MAP_SHARED))
		file_contents_compare(d, vma, fd, left, difference);
	if (!same || difference->by) {
		close(fd);
		return -1;
	}
	return fd;
}

void mapped_file_compare(const struct descriptor_header *d,
			 const struct descriptor_vma *vma, uint64_t *left,
			 struct file_difference *difference)
{
	int fd = is_of_this_machine(d) ? mapped_file_open(d, vma, left, difference)
				       : -1;

	if (fd >= 0)
		close(fd);
}
