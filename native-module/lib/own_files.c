// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/own_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct own_file noted[OWN_FILES_MAX];
static uint32_t noted_count;
static pthread_mutex_t noted_lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_still(const struct own_file *file)
{
	struct stat st;

	return !fstat(file->fd, &st) && st.st_ino == file->inode &&
	       st.st_dev == file->device;
}

/* With the lock held. */
static void drop(uint32_t index)
{
	noted[index] = noted[--noted_count];
}

void own_files_note(int fd)
{
	struct stat st;
	uint32_t i;

	if (fd < 0 || fstat(fd, &st))
		return;
	pthread_mutex_lock(&noted_lock);
	for (i = noted_count; i--;)
		if (noted[i].fd == fd || !is_still(&noted[i]))
			drop(i);
	if (noted_count < OWN_FILES_MAX)
		noted[noted_count++] = (struct own_file){ .fd = fd,
							  .device = st.st_dev,
							  .inode = st.st_ino };
	pthread_mutex_unlock(&noted_lock);
}

void own_files_forget(int fd)
{
	uint32_t i;

	pthread_mutex_lock(&noted_lock);
	for (i = noted_count; i--;)
		if (noted[i].fd == fd)
			drop(i);
	pthread_mutex_unlock(&noted_lock);
}

uint32_t own_files_list(struct own_file files[OWN_FILES_MAX])
{
	uint32_t i, count = 0;

	pthread_mutex_lock(&noted_lock);
	for (i = 0; i < noted_count; i++)
		if (is_still(&noted[i]))
			files[count++] = noted[i];
	pthread_mutex_unlock(&noted_lock);
	return count;
}

/* Before Linux 6.2 the size of the directory is 0. Returns -1 on an error. */
static long count_by_listing(void)
{
	char buffer[4096];
	int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long count = -1, n; /* without this directory itself */

	if (dir < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0) {
		long at = 0;

		while (at < n) {
			const struct dirent64 *entry = (void *)(buffer + at);

			count += entry->d_name[0] != '.';
			at += entry->d_reclen;
		}
	}
	close(dir);
	return n ? -1 : count;
}

int own_files_others(uint32_t own_count)
{
	long expected = own_count, count;
	struct stat st;
	int fd;

	if (stat("/proc/self/fd", &st))
		return -errno;
	count = st.st_size ? st.st_size : count_by_listing();
	for (fd = 0; fd <= STDERR_FILENO; fd++)
		expected += fcntl(fd, F_GETFD) >= 0;
	return count != expected;
}
