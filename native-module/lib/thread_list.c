// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/thread_list.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/cursor.h"
#include "lib/thread_status.h"
#include "paging/raw_syscall.h"

/* As getdents64(2) writes it. */
struct task_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* The caller's id in /proc, PROCESS/task/THREAD; 0: /proc does not say. */
static int32_t listed_caller(void)
{
	char text[64];
	long n = raw_syscall(SYS_readlinkat, AT_FDCWD, "/proc/thread-self", text,
			     sizeof(text) - 1);
	struct cursor c = { 0 };

	text[n > 0 ? n : 0] = '\0';
	c.at = strrchr(text, '/');
	if (!c.at)
		return 0;
	c.at++;
	return take_number(&c, 10);
}

int thread_list_open(struct thread_list *list)
{
	int32_t caller = listed_caller();

	list->fd = raw_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (list->fd < 0)
		return list->fd;
	list->ids_differ = caller && caller != raw_syscall(SYS_gettid);
	list->size = list->at = 0;
	return 0;
}

void thread_list_close(struct thread_list *list)
{
	raw_syscall(SYS_close, list->fd);
}

void thread_list_rewind(struct thread_list *list)
{
	raw_syscall(SYS_lseek, list->fd, 0, SEEK_SET);
	list->size = list->at = 0;
}

int thread_list_next(struct thread_list *list, int32_t *listed)
{
	do {
		const struct task_entry *entry;
		struct cursor c = { 0 };

		if (list->at >= list->size) {
			list->size = raw_syscall(SYS_getdents64, list->fd,
						 list->buffer, sizeof(list->buffer));
			list->at = 0;
			if (list->size <= 0)
				return (int)list->size;
		}
		entry = (void *)(list->buffer + list->at);
		list->at += entry->length;
		c.at = entry->name;
		/* 0: . and .. */
		*listed = take_number(&c, 10);
	} while (!*listed);
	return 1;
}

int32_t thread_list_id(const struct thread_list *list, int32_t listed)
{
	return list->ids_differ ? thread_own_id(listed) : listed;
}
