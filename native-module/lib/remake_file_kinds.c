// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/remake_file_kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/parent_path.h"
#include "lib/path_map.h"
#include "lib/remake_sockets.h"
#include "libmitosis.h"

#define NS_PER_S	  1000000000ull
#define VERSION_TEXT_SIZE 96
/* Of a timer that has expired; the machine may be slow. */
#define TIMER_WAIT_MS 1000

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

static bool may_write(const struct descriptor_fd *fd)
{
	return (fd->open_flags & O_ACCMODE) != O_RDONLY &&
	       !(fd->open_flags & O_PATH);
}

/* A file that children of one parent would write over each other. */
static bool is_written(const struct descriptor_fd *fd)
{
	return fd->kind == FD_FILE && may_write(fd) &&
	       !(fd->flags & DESCRIPTOR_FD_GENERATED);
}

static int write_all(int to, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(to, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		bytes += n;
		size -= n;
	}
	return 0;
}

/* Opens what a number of this process is open at once more: another open file. */
static int open_again(const struct remade_files *files, int fd, int flags)
{
	const char *name = files->maker_fds < 0 ? "/proc/self/fd/" : "";
	char path[64];
	int again;

	snprintf(path, sizeof(path), "%s%d", name, fd);
	again = openat(files->maker_fds, path, flags | O_CLOEXEC | O_NOCTTY);
	return again < 0 ? -errno : again;
}

/* What a file is told by. */
static void tell_version(char text[VERSION_TEXT_SIZE], uint64_t size, uint64_t s,
			 uint64_t ns)
{
	time_t written = s;
	char when[32] = "an unknown time";
	struct tm utc;

	if (gmtime_r(&written, &utc))
		strftime(when, sizeof(when), "%F %T", &utc);
	snprintf(text, VERSION_TEXT_SIZE, "%llu bytes of %s.%09llu",
		 (unsigned long long)size, when, (unsigned long long)ns);
}

static int of_another_machine(const struct remade_files *files,
			      const struct descriptor_fd *fd, const struct stat *st)
{
	char reason[384], theirs[VERSION_TEXT_SIZE], here[VERSION_TEXT_SIZE];
	int n = snprintf(reason, sizeof(reason),
			 "there is another file at this path: give the child the "
			 "parent's file system, or pass a file with this number");

	if (fd->kind == FD_FILE && S_ISREG(st->st_mode)) {
		tell_version(theirs, fd->values[0], fd->values[1], fd->values[2]);
		tell_version(here, st->st_size, st->st_mtim.tv_sec,
			     st->st_mtim.tv_nsec);
		snprintf(reason + n, sizeof(reason) - n,
			 " (the parent's has %s, this one %s, UTC)", theirs, here);
	}
	return remake_failed(files, fd, -ESTALE, reason);
}

/* Whether the file at the path is what the parent had open. */
static bool is_the_file(const struct descriptor_fd *fd, const struct stat *st)
{
	if (fd->kind == FD_DEVICE)
		return S_ISCHR(st->st_mode) && st->st_rdev == fd->values[0];
	if (fd->kind == FD_DIRECTORY)
		return S_ISDIR(st->st_mode);
	if (fd->kind == FD_FIFO)
		return S_ISFIFO(st->st_mode);
	if (!S_ISREG(st->st_mode))
		return false;
	return fd->flags & DESCRIPTOR_FD_GENERATED ||
	       (st->st_dev == fd->device && st->st_ino == fd->inode) ||
	       ((uint64_t)st->st_size == fd->values[0] &&
		(uint64_t)st->st_mtim.tv_sec == fd->values[1] &&
		(uint64_t)st->st_mtim.tv_nsec == fd->values[2]);
}

/*
 * What the parent read of itself, a child reads of itself; other files may be elsewhere. NULL:
 * that path would be too long.
 */
static const char *path_of(const struct remade_files *files,
			   const struct descriptor_fd *fd, char path[4096])
{
	const char *theirs = descriptor_string(files->descriptor, fd->path);
	struct parent_own_path own;

	if (!parent_path_of_itself(theirs, files->descriptor->owner_pid, &own))
		return path_map_find(files->paths, theirs, path, 4096);
	snprintf(path, 4096, "%s%s", own.base, own.rest);
	return path;
}

static const char *why_not_found(const struct remade_files *files, const char *path,
				 int error)
{
	if (error == ELOOP)
		return "its path leads through links of /proc to open files";
	return error == ENOENT && files->own & MITOSIS_OWN_TMP &&
			       !strncmp(path, "/tmp/", 5)
		       ? "the child has an empty /tmp of its own: leave that out, "
			 "or give the file another path"
		       : strerror(error);
}

/* With O_PATH, which neither reads nor waits, and tells what it is. */
static int find_file(const struct remade_files *files,
		     const struct descriptor_fd *fd)
{
	char buffer[4096];
	const char *path = path_of(files, fd, buffer);
	int found = path ? parent_path_open(path, 0) : -1;
	struct stat st;

	if (!path)
		return remake_failed(files, fd, -ENAMETOOLONG,
				     strerror(ENAMETOOLONG));
	if (found < 0)
		return remake_failed(files, fd, found,
				     why_not_found(files, path, -found));
	memset(&st, 0, sizeof(st));
	if (!fstat(found, &st) && is_the_file(fd, &st))
		return found;
	close(found);
	return of_another_machine(files, fd, &st);
}

static int copy_bytes(int from, int to, uint64_t size)
{
	char buffer[16384];
	uint64_t done = 0;
	ssize_t n = 1;
	int err = 0;

	while (done < size && !err) {
		do
			n = pread(from, buffer, sizeof(buffer), done);
		while (n < 0 && errno == EINTR); /* of a FUSE or NFS file */
		if (n <= 0)
			return n ? -errno : 0;
		err = write_all(to, buffer, n);
		done += n;
	}
	return err;
}

/* A copy that this child alone has. */
static int open_private(const struct remade_files *files,
			const struct descriptor_fd *fd, int found)
{
	int source = open_again(files, found, O_RDONLY | O_NONBLOCK), copy, again;
	struct stat st;
	int err = source < 0 ? source : fstat(source, &st) ? -errno : 0;

	if (!err && (uint64_t)st.st_size > FILES_PRIVATE_MAX)
		err = -EFBIG;
	copy = err ? -1 : memfd_create("mitosis-private", MFD_CLOEXEC);
	if (!err && copy < 0)
		err = -errno;
	if (!err)
		err = copy_bytes(source, copy, st.st_size);
	if (source >= 0)
		close(source);
	again = err ? err
		    : open_again(files, copy,
				 fd->open_flags & FILES_KEPT_FLAGS & ~O_DIRECT);
	if (copy >= 0)
		close(copy);
	return again < 0
		       ? remake_failed(files, fd, again,
				       again == -EFBIG
					       ? "it has more than 64 MiB, which is "
						 "the most that is copied"
					       : strerror(-again))
		       : again;
}

static int open_path(const struct remade_files *files,
		     const struct descriptor_fd *fd)
{
	int flags = fd->open_flags & FILES_KEPT_FLAGS, found, opened, reader = -1;
	struct parent_own_path own;
	bool of_itself =
		parent_path_of_itself(descriptor_string(files->descriptor, fd->path),
				      files->descriptor->owner_pid, &own);

	if (of_itself && parent_path_of_thread(&own))
		return remake_failed(files, fd, -ENOENT,
				     "it is of a thread, and a child gets its "
				     "threads after its files");
	/* The clone opens it: this has its number until then. */
	if (files->maker_fds >= 0 && of_itself)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	found = find_file(files, fd);
	if (found < 0 || fd->open_flags & O_PATH)
		return found;
	if (is_written(fd) && files->policy == MITOSIS_FILES_PRIVATE) {
		opened = open_private(files, fd, found);
	} else {
		/* A FIFO has no reader until it is opened for reading. */
		if (fd->kind == FD_FIFO && (flags & O_ACCMODE) == O_WRONLY)
			reader = open_again(files, found, O_RDWR | O_NONBLOCK);
		opened = open_again(files, found, flags | O_NONBLOCK);
		if (reader >= 0)
			close(reader);
		if (opened >= 0)
			fcntl(opened, F_SETFL, flags);
		else
			remake_failed(files, fd, opened, strerror(-opened));
	}
	close(found);
	if (opened >= 0 && fd->kind != FD_FIFO && fd->kind != FD_DEVICE)
		lseek(opened, fd->position, SEEK_SET);
	return opened;
}

static int make_memory(const struct remade_files *files,
		       const struct descriptor_fd *fd)
{
	const char *name = descriptor_string(files->descriptor, fd->path);
	bool seals = fd->values[0] != ~0ull, read_only = !may_write(fd);
	char label[64];
	int made, again;
	int err;

	snprintf(label, sizeof(label), "%.40s",
		 strncmp(name, "/memfd:", 7) ? "mitosis-deleted" : name + 7);
	label[strcspn(label, " ")] = '\0';
	made = memfd_create(label, MFD_CLOEXEC | (seals ? MFD_ALLOW_SEALING : 0));
	if (made < 0)
		return remake_failed(files, fd, -errno, strerror(errno));
	err = write_all(made, descriptor_fd_data(files->descriptor, fd),
			fd->data_size);
	if (!err && seals && fcntl(made, F_ADD_SEALS, (int)fd->values[0]))
		err = -errno;
	if (!err && (read_only || fd->open_flags & (O_APPEND | O_NONBLOCK) ||
		     (fd->open_flags & O_ACCMODE) == O_WRONLY)) {
		again = open_again(files, made,
				   fd->open_flags & FILES_KEPT_FLAGS & ~O_DIRECT);
		close(made);
		made = again;
		err = again < 0 ? again : 0;
	}
	if (!err && lseek(made, fd->position, SEEK_SET) >= 0)
		return made;
	if (made >= 0)
		close(made);
	return remake_failed(files, fd, err ? err : -EIO,
			     strerror(err ? -err : EIO));
}

/* Fills a new pipe. Returns 0 or -errno. */
static int fill_pipe(const struct remade_files *files, uint64_t inode, int to)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < files->count && !err; i++) {
		const struct descriptor_fd *fd = &files->fds[i];

		if (fd->kind != FD_PIPE || fd->inode != inode ||
		    fd->shares != DESCRIPTOR_FD_OWN)
			continue;
		if (fd->values[0])
			fcntl(to, F_SETPIPE_SZ, (int)fd->values[0]);
		err = write_all(to, descriptor_fd_data(files->descriptor, fd),
				fd->data_size);
	}
	return err;
}

/* All ends of one pipe; each is an open file of its own. */
static int make_pipe(struct remade_files *files, uint32_t index)
{
	uint64_t inode = files->fds[index].inode;
	bool packets = false, bytes = false;
	int ends[2], err;
	uint32_t i;

	for (i = index; i < files->count; i++) {
		const struct descriptor_fd *fd = &files->fds[i];

		if (fd->kind != FD_PIPE || fd->inode != inode)
			continue;
		packets |= (fd->open_flags & O_DIRECT) != 0;
		bytes |= fd->data_size != 0;
	}
	if (packets && bytes)
		return remake_failed(files, &files->fds[index], -EBUSY,
				     "packets are in it: read them before prepare");
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return remake_failed(files, &files->fds[index], -errno,
				     strerror(errno));
	err = fill_pipe(files, inode, ends[1]);
	for (i = index; i < files->count && !err; i++) {
		const struct descriptor_fd *fd = &files->fds[i];
		int flags = fd->open_flags & (O_ACCMODE | O_NONBLOCK | O_DIRECT);

		if (fd->kind != FD_PIPE || fd->inode != inode ||
		    fd->shares != DESCRIPTOR_FD_OWN)
			continue;
		files->at[i] = open_again(files, ends[0], flags);
		err = files->at[i] < 0 ? files->at[i] : 0;
	}
	close(ends[0]);
	close(ends[1]);
	return err ? remake_failed(files, &files->fds[index], err, strerror(-err))
		   : files->at[index];
}

static int make_timer(const struct descriptor_fd *fd)
{
	struct itimerspec time = {
		.it_interval = { fd->values[3] / NS_PER_S,
				 fd->values[3] % NS_PER_S },
		.it_value = { fd->values[2] / NS_PER_S, fd->values[2] % NS_PER_S },
	};
	uint64_t ticks = fd->values[1];
	int made = timerfd_create((int)fd->values[0],
				  TFD_CLOEXEC | (fd->open_flags & O_NONBLOCK));

	if (made < 0)
		return -1;
	/* A kernel without the call tells an expiration of its own. */
	if (ticks && !fd->values[2])
		time.it_value.tv_nsec = 1;
	if (!timerfd_settime(made, 0, &time, NULL)) {
		/* That one must not come after the call, which it would be added to. */
		if (ticks && !fd->values[2])
			poll(&(struct pollfd){ .fd = made, .events = POLLIN }, 1,
			     TIMER_WAIT_MS);
		if (ticks)
			ioctl(made, TFD_IOC_SET_TICKS, &ticks);
		return made;
	}
	close(made);
	return -1;
}

static int make_signal(const struct descriptor_fd *fd)
{
	sigset_t mask;

	memset(&mask, 0, sizeof(mask));
	memcpy(&mask, &fd->values[0], sizeof(fd->values[0]));
	return signalfd(-1, &mask, SFD_CLOEXEC | (fd->open_flags & O_NONBLOCK));
}

static int make_event(const struct descriptor_fd *fd)
{
	uint64_t count = fd->values[0];
	int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK |
				      (fd->values[1] ? EFD_SEMAPHORE : 0));

	/* eventfd() takes 32 bits only. */
	if (made >= 0 && count && write(made, &count, sizeof(count)) < 0) {
		close(made);
		return -1;
	}
	if (made >= 0)
		fcntl(made, F_SETFL, fd->open_flags & O_NONBLOCK);
	return made;
}

static int make_anonymous(const struct remade_files *files,
			  const struct descriptor_fd *fd)
{
	int made = -1;

	if (fd->kind == FD_EVENT)
		made = make_event(fd);
	else if (fd->kind == FD_EPOLL)
		made = epoll_create1(EPOLL_CLOEXEC);
	else if (fd->kind == FD_TIMER)
		made = make_timer(fd);
	else if (fd->kind == FD_SIGNAL)
		made = make_signal(fd);
	else
		made = inotify_init1(IN_CLOEXEC | (fd->open_flags & O_NONBLOCK));
	return made < 0 ? remake_failed(files, fd, -errno, strerror(errno)) : made;
}

static int refuse(const struct remade_files *files, const struct descriptor_fd *fd)
{
	static const char *const reasons[FD_REFUSALS + 1] = {
		[FD_REFUSAL_KIND] = "a child cannot have a file of this kind",
		[FD_REFUSAL_LARGE] = "it has no path, and more bytes than a "
				     "snapshot carries (1 MiB; 16 MiB for all)",
		[FD_REFUSAL_UNREAD] = "the snapshot could not read its state",
		[FD_REFUSAL_SHARING] =
			"the snapshot could not tell whether it shares "
			"its position: let the parent use kcmp(2)",
		[FD_REFUSAL_WATCHED] = "it watches a file whose number is closed",
		[FD_REFUSAL_MESSAGES] = "messages or open files are on their way in "
					"it: receive them before prepare",
		[FD_REFUSAL_GONE] = "it is no longer at this path",
		[FD_REFUSAL_FILTER] =
			"it has a filter, which a child's would lack: let the "
			"parent set it after prepare, or pass a socket with this "
			"number",
	};

	return remake_failed(files, fd, -EOPNOTSUPP, reasons[fd->values[0]]);
}

static int refuse_written(const struct remade_files *files,
			  const struct descriptor_fd *fd)
{
	return remake_failed(files, fd, -EBUSY,
			     "it is open for writing: choose --files share or "
			     "private (mitosis_set_resume_files), close it before "
			     "prepare, or pass a file with this number");
}

/* A child makes an object of what is mapped; the open file would be another one. */
static bool is_mapped_object(const struct descriptor_header *d,
			     const struct descriptor_fd *fd)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t i;

	for (i = 0; i < d->vma_count; i++)
		if (descriptor_is_object(&vmas[i]) && vmas[i].inode == fd->inode &&
		    vmas[i].device_major == major(fd->device) &&
		    vmas[i].device_minor == minor(fd->device))
			return true;
	return false;
}

int remake_file_check(const struct remade_files *files,
		      const struct descriptor_fd *fd)
{
	if ((fd->kind == FD_MEMORY ||
	     (fd->kind == FD_REFUSED && fd->values[0] == FD_REFUSAL_LARGE)) &&
	    is_mapped_object(files->descriptor, fd))
		return remake_failed(
			files, fd, -EOPNOTSUPP,
			"it is mapped and shared, too, and would be two "
			"objects in a child: close it before prepare");
	if (fd->kind == FD_REFUSED)
		return refuse(files, fd);
	if (is_written(fd) && files->policy == MITOSIS_FILES_REFUSE)
		return refuse_written(files, fd);
	return 0;
}

int remake_file(struct remade_files *files, uint32_t index)
{
	const struct descriptor_fd *fd = &files->fds[index];
	int made;

	switch (fd->kind) {
	case FD_STANDARD:
		/* Closed where the caller has it closed. */
		made = fcntl((int)fd->values[0], F_DUPFD_CLOEXEC, files->floor);
		if (made < 0 && errno == EBADF)
			return -EBADF;
		return made < 0 ? remake_failed(files, fd, -errno, strerror(errno))
				: made;
	case FD_MEMORY:
		return make_memory(files, fd);
	case FD_PIPE:
		return make_pipe(files, index);
	case FD_SOCKET_PAIR:
	case FD_SOCKET:
		return remake_socket(files, index);
	case FD_FILE:
	case FD_DIRECTORY:
	case FD_DEVICE:
	case FD_FIFO:
		return open_path(files, fd);
	default:
		return make_anonymous(files, fd);
	}
}
