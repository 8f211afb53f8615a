// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/describe_file_kinds.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/cursor.h"
#include "lib/describe_sockets.h"
#include "paging/raw_syscall.h"

/* In bytes: a shorter text of /proc comes by one read, whose buffer has room for it. */
#define SEQUENCE_PAGE 4096

/* What follows the first `key` of the text; NULL: it is not there. */
static const char *behind(const char *text, const char *key)
{
	for (; *text; text++) {
		if (!starts_with(text, key))
			continue;
		for (; *key; key++)
			text++;
		return text;
	}
	return NULL;
}

/* The number behind a key; 0 if it is not there. */
static uint64_t number_behind(const char *text, const char *key, unsigned int base)
{
	struct cursor c = { .at = behind(text, key) };

	if (!c.at)
		return 0;
	while (*c.at == ' ' || *c.at == '\t')
		c.at++;
	return take_number(&c, base);
}

/* Its text in /proc/self/fdinfo, or NULL. */
static const char *read_info(struct described_files *files, uint32_t number)
{
	const uint64_t room = FILES_TEXT_SIZE - 1;
	char name[PROC_NAME_SIZE];
	uint64_t done = 0;
	long fd, n;

	if (files->informed_of == number)
		return files->text;
	files->informed_of = 0;
	name_file(name, "/proc/self/fdinfo/", number);
	fd = raw_open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		n = raw_syscall(SYS_read, fd, files->text + done, room - done);
		done += n > 0 ? n : 0;
	} while (n >= SEQUENCE_PAGE);
	raw_syscall(SYS_close, fd);
	files->text[done] = '\0';
	if (n < 0 || done == room)
		return NULL;
	files->informed_of = number;
	return files->text;
}

uint64_t described_event_id(struct described_files *files, uint32_t number)
{
	const char *info = read_info(files, number);

	return info ? number_behind(info, "eventfd-id:", 10) : 0;
}

/* Whether the file that is open is still what its path names. */
static bool is_at_its_path(const struct open_file *f)
{
	struct stat st;

	return f->path[0] == '/' &&
	       !raw_syscall(SYS_newfstatat, AT_FDCWD, f->path, &st,
			    AT_SYMLINK_NOFOLLOW) &&
	       st.st_dev == f->st.st_dev && st.st_ino == f->st.st_ino;
}

/* Whether the kernel writes the file when it is read. */
static bool is_generated(uint32_t number)
{
	struct statfs fs;

	if (raw_syscall(SYS_fstatfs, number, &fs))
		return false;
	return fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	       fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC;
}

static bool read_all(uint32_t number, char *to, uint64_t size)
{
	uint64_t done = 0;
	long n = 1;

	while (done < size && n > 0) {
		n = raw_syscall(SYS_pread64, number, to + done, size - done, done);
		done += n > 0 ? n : 0;
	}
	return done == size;
}

/* A memfd, or a file that has no path any more: its bytes. */
static void describe_memory(struct described_files *files, struct open_file *f)
{
	bool reopen = (f->fd->open_flags & O_ACCMODE) == O_WRONLY;
	char *to = described_files_room(files, f->fd, f->st.st_size);
	long number = f->fd->number, seals;
	char name[PROC_NAME_SIZE];

	if (!to)
		return;
	f->fd->kind = FD_MEMORY;
	seals = raw_syscall(SYS_fcntl, number, F_GET_SEALS);
	f->fd->values[0] = seals < 0 ? ~0ull : (uint64_t)seals;
	if (reopen) {
		name_file(name, "/proc/self/fd/", number);
		number = raw_open(name, O_RDONLY | O_CLOEXEC);
	}
	if (number < 0 || !read_all(number, to, f->st.st_size))
		described_file_refuse(f->fd, FD_REFUSAL_UNREAD);
	if (reopen && number >= 0)
		raw_syscall(SYS_close, number);
}

static void describe_regular(struct described_files *files, struct open_file *f)
{
	struct descriptor_fd *fd = f->fd;
	const char *info;

	if (f->path[0] == '/' && is_generated(fd->number)) {
		fd->kind = FD_FILE;
		fd->flags |= DESCRIPTOR_FD_GENERATED;
		return;
	}
	info = read_info(files, fd->number);
	if (info && behind(info, "\nlock:"))
		fd->flags |= DESCRIPTOR_FD_LOCKED;
	if (is_at_its_path(f)) {
		fd->kind = FD_FILE;
		fd->values[0] = f->st.st_size;
		fd->values[1] = f->st.st_mtim.tv_sec;
		fd->values[2] = f->st.st_mtim.tv_nsec;
	} else if (fd->open_flags & O_PATH) {
		described_file_refuse(fd, FD_REFUSAL_GONE);
	} else {
		describe_memory(files, f);
	}
}

/* Devices of which every process gets the same, and terminals. */
static bool is_known_device(uint64_t device)
{
	uint32_t major = device >> 8 & 0xfff, minor = device & 0xff;

	switch (major) {
	case 1:
		return minor == 3 || minor == 5 || (minor >= 7 && minor <= 9);
	case 4:
		return true;
	case 5:
		return minor == 0;
	default:
		return major >= 136 && major <= 143;
	}
}

/* The bytes that are in a pipe stay in it: tee(2) does not take them out. */
static void tee_bytes(struct described_files *files, struct descriptor_fd *fd)
{
	int waiting = 0, left = 0, ends[2];
	long got, done = 0, n = 1;
	char *to;

	if (raw_syscall(SYS_ioctl, fd->number, FIONREAD, &waiting) || !waiting)
		return;
	if (raw_syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK)) {
		described_file_refuse(fd, FD_REFUSAL_UNREAD);
		return;
	}
	raw_syscall(SYS_fcntl, ends[1], F_SETPIPE_SZ, fd->values[0]);
	got = raw_syscall(SYS_tee, fd->number, ends[1], waiting, SPLICE_F_NONBLOCK);
	/* Another process that reads it may have taken some meanwhile. */
	if (got < waiting)
		raw_syscall(SYS_ioctl, fd->number, FIONREAD, &left);
	to = got > 0 ? described_files_room(files, fd, got) : NULL;
	while (to && done < got && n > 0) {
		n = raw_syscall(SYS_read, ends[0], to + done, got - done);
		done += n > 0 ? n : 0;
	}
	if (fd->kind == FD_PIPE && (got < 0 ? left != 0 : left > got || done != got))
		described_file_refuse(fd, FD_REFUSAL_UNREAD);
	raw_syscall(SYS_close, ends[0]);
	raw_syscall(SYS_close, ends[1]);
}

static void describe_pipe(struct described_files *files, struct open_file *f)
{
	struct descriptor_fd *fd = f->fd;
	const struct descriptor_fd *other;

	fd->kind = FD_PIPE;
	fd->values[0] = raw_syscall(SYS_fcntl, fd->number, F_GETPIPE_SZ);
	if ((fd->open_flags & O_ACCMODE) == O_WRONLY)
		return;
	for (other = files->fds; other < fd; other++)
		if (other->kind == FD_PIPE && other->inode == fd->inode &&
		    (other->open_flags & O_ACCMODE) != O_WRONLY)
			return;
	tee_bytes(files, fd);
}

static void describe_path(struct described_files *files, struct open_file *f)
{
	struct descriptor_fd *fd = f->fd;

	switch (f->st.st_mode & S_IFMT) {
	case S_IFREG:
		describe_regular(files, f);
		return;
	case S_IFDIR:
		fd->kind = FD_DIRECTORY;
		break;
	case S_IFIFO:
		fd->kind = FD_FIFO;
		break;
	case S_IFCHR:
		if (is_known_device(f->st.st_rdev)) {
			fd->kind = FD_DEVICE;
			fd->values[0] = f->st.st_rdev;
			return; /* told by its number */
		}
		/* fall through */
	default:
		described_file_refuse(fd, FD_REFUSAL_KIND);
		return;
	}
	if (!is_at_its_path(f))
		described_file_refuse(fd, FD_REFUSAL_GONE);
}

/* Whether the number still is what an epoll watches under it. */
static bool is_watched(uint32_t epoll, uint32_t number, uint64_t inode)
{
	struct kcmp_epoll_slot slot = { .efd = epoll, .tfd = number };
	const long self = raw_syscall(SYS_getpid);
	long differs =
		raw_syscall(SYS_kcmp, self, self, KCMP_EPOLL_TFD, number, &slot);
	struct stat st;

	if (differs >= 0)
		return !differs;
	return !raw_syscall(SYS_fstat, number, &st) && st.st_ino == inode;
}

static void describe_epoll(struct described_files *files, struct descriptor_fd *fd,
			   const char *info)
{
	struct descriptor_epoll_item item;
	const char *at;
	char *to;

	fd->data = files->data_size;
	for (at = info; (at = behind(at, "tfd:"));) {
		struct cursor c = { .at = at };

		skip(&c, ' ');
		item.number = take_number(&c, 10);
		item.events = number_behind(at, "events:", 16);
		item.data = number_behind(at, "data:", 16);
		if (!is_watched(fd->number, item.number,
				number_behind(at, "ino:", 16))) {
			described_file_refuse(fd, FD_REFUSAL_WATCHED);
			return;
		}
		if (fd->data_size + sizeof(item) > DESCRIPTOR_FD_DATA_MAX ||
		    files->data_size + sizeof(item) > DESCRIPTOR_DATA_MAX) {
			described_file_refuse(fd, FD_REFUSAL_LARGE);
			return;
		}
		to = files->data + files->data_size;
		__builtin_memcpy(to, &item, sizeof(item));
		files->data_size += sizeof(item);
		fd->data_size += sizeof(item);
	}
}

/* "(seconds, nanoseconds)" behind a key, in ns. */
static uint64_t time_behind(const char *info, const char *key)
{
	struct cursor c = { .at = behind(info, key) };
	uint64_t seconds;

	if (!c.at)
		return 0;
	seconds = take_number(&c, 10);
	while (*c.at == ',' || *c.at == ' ')
		c.at++;
	return seconds * 1000000000ull + take_number(&c, 10);
}

/* What has neither a path nor a kind of inode of its own. */
static void describe_anonymous(struct described_files *files, struct open_file *f)
{
	struct descriptor_fd *fd = f->fd;
	const char *info = read_info(files, fd->number);

	fd->kind = is_text(f->path, "anon_inode:[eventfd]")	? FD_EVENT
		   : is_text(f->path, "anon_inode:[eventpoll]") ? FD_EPOLL
		   : is_text(f->path, "anon_inode:[timerfd]")	? FD_TIMER
		   : is_text(f->path, "anon_inode:[signalfd]")	? FD_SIGNAL
		   : starts_with(f->path, "anon_inode:inotify") ? FD_INOTIFY
								: FD_REFUSED;
	if (fd->kind == FD_REFUSED || !info) {
		described_file_refuse(fd,
				      info ? FD_REFUSAL_KIND : FD_REFUSAL_UNREAD);
		return;
	}
	if (fd->kind == FD_EVENT) {
		fd->values[0] = number_behind(info, "eventfd-count:", 16);
		fd->values[1] = number_behind(info, "eventfd-semaphore:", 10);
	} else if (fd->kind == FD_EPOLL) {
		describe_epoll(files, fd, info);
	} else if (fd->kind == FD_TIMER) {
		fd->values[0] = number_behind(info, "clockid:", 10);
		fd->values[1] = number_behind(info, "ticks:", 10);
		fd->values[2] = time_behind(info, "it_value: (");
		fd->values[3] = time_behind(info, "it_interval: (");
	} else if (fd->kind == FD_SIGNAL) {
		fd->values[0] = number_behind(info, "sigmask:", 16);
	}
}

void describe_file_kind(struct described_files *files, struct open_file *f)
{
	if (f->path[0] == '/')
		describe_path(files, f);
	else if (S_ISFIFO(f->st.st_mode))
		describe_pipe(files, f);
	else if (S_ISSOCK(f->st.st_mode))
		describe_socket(files, f->fd);
	else
		describe_anonymous(files, f);
}
