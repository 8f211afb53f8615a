// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/clone_call.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>

#include "local/channel.h"

bool clone_call_pass(struct clone_call *call, int fd, int32_t number)
{
	struct passed_fds *passed = &call->passed;

	if (fd < 0)
		return true;
	if (passed->count == SHADOW_CLONE_FILES_MAX)
		return false;
	passed->fds[passed->count] = fd;
	passed->numbers[passed->count++] = number;
	return true;
}

int clone_call_pass_own(struct clone_call *call)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(d) ||
		    fd == call->stream || fd > CLONE_NUMBER_MAX ||
		    fcntl(fd, F_GETFD) & FD_CLOEXEC)
			continue;
		if (!clone_call_pass(call, fd, fd)) {
			closedir(d);
			return -E2BIG;
		}
	}
	closedir(d);
	return 0;
}

/* The only CPU that this process, and so its child, may run on; -1: several. */
static int only_cpu(void)
{
	cpu_set_t set;

	return !sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) == 1
		       ? sched_getcpu()
		       : -1;
}

int clone_call_send(const struct clone_call *call, uint32_t flags)
{
	const struct passed_fds *passed = &call->passed;
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_CLONE,
		.flags = flags,
		.address = call->child.number,
		.window = call->child.machine_id,
		.length = passed->count * sizeof(passed->numbers[0]),
		.cpu = only_cpu(),
		.namespaces = call->namespaces,
	};
	struct iovec parts[2] = {
		{ &request, sizeof(request) },
		{ (void *)passed->numbers, request.length },
	};
	ssize_t size = sizeof(request) + request.length;

	return channel_send_fds(call->stream, parts, 2, passed->fds,
				passed->count) == size
		       ? 0
		       : -ESTALE;
}

int clone_call_highest(const struct clone_call *call)
{
	int highest = -1;
	uint32_t i;

	for (i = 0; i < call->passed.count; i++) {
		int32_t number = shadow_clone_number(call->passed.numbers[i]);

		if (number > highest)
			highest = number;
	}
	return highest;
}
