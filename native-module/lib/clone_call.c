// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/clone_call.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/restore_plan.h"
#include "local/channel.h"

static int no_memory_for(const struct clone_call *call)
{
	return fail(-ENOMEM, "there is no memory for the files of a child of %s",
		    call->what);
}

static bool make_room(struct passed_fds *passed)
{
	uint32_t room = 2 * passed->room + SHADOW_CLONE_FILES_MAX;
	int32_t *numbers;
	int *fds;

	if (passed->count < passed->room)
		return true;
	fds = realloc(passed->fds, room * sizeof(*fds));
	if (!fds)
		return false;
	passed->fds = fds;
	numbers = realloc(passed->numbers, room * sizeof(*numbers));
	if (!numbers)
		return false;
	passed->numbers = numbers;
	passed->room = room;
	return true;
}

int clone_call_pass(struct clone_call *call, int fd, int32_t number)
{
	struct passed_fds *passed = &call->passed;
	bool own = number >= 0 && !(number & SHADOW_CLONE_OF_PARENT);

	if (fd < 0)
		return 0;
	if (own && passed->own == CHILD_FILES_MAX)
		return fail(
			-E2BIG,
			"a clone gets at most %u open files of its caller; close "
			"some, or set close-on-exec",
			CHILD_FILES_MAX);
	if (!make_room(passed))
		return no_memory_for(call);
	passed->own += own;
	passed->fds[passed->count] = fd;
	passed->numbers[passed->count++] = number;
	return 0;
}

void clone_call_free(struct clone_call *call)
{
	free(call->passed.fds);
	free(call->passed.numbers);
	call->passed = (struct passed_fds){ 0 };
}

int clone_call_pass_own(struct clone_call *call)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	int err = 0;

	if (!d)
		return fail(-errno, "/proc cannot be read: %s", strerror(errno));
	while (!err && (entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(d) ||
		    fd == call->stream || fd > CLONE_NUMBER_MAX ||
		    fcntl(fd, F_GETFD) & FD_CLOEXEC)
			continue;
		err = clone_call_pass(call, fd, fd);
	}
	closedir(d);
	return err;
}

/* A child may run on the CPUs of its caller: on all if that has others than the first 64. */
static void tell_cpus(struct shadow_request *request)
{
	cpu_set_t set;
	int i;

	request->cpu = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	if (CPU_COUNT(&set) == 1)
		request->cpu = sched_getcpu();
	for (i = 0; i < 64; i++)
		if (CPU_ISSET(i, &set))
			request->cpus |= 1ull << i;
	if (__builtin_popcountll(request->cpus) != CPU_COUNT(&set))
		request->cpus = 0;
}

/* Returns 0 or -ESTALE. */
static int send_request(const struct clone_call *call, uint32_t flags,
			const struct passed_fds *passed)
{
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_CLONE,
		.flags = flags,
		.address = call->child.number,
		.window = call->child.machine_id,
		.length = passed->count * sizeof(passed->numbers[0]),
		.namespaces = call->namespaces,
	};
	struct iovec parts[2] = {
		{ &request, sizeof(request) },
		{ passed->numbers, request.length },
	};
	ssize_t size = sizeof(request) + request.length;

	tell_cpus(&request);
	return channel_send_fds(call->stream, parts, 2, passed->fds,
				passed->count) == size
		       ? 0
		       : -ESTALE;
}

struct passed_file {
	int fd;
	int32_t number;
};

static int compare(const void *a, const void *b)
{
	int32_t x = shadow_clone_number(((const struct passed_file *)a)->number);
	int32_t y = shadow_clone_number(((const struct passed_file *)b)->number);

	return x < y ? -1 : x > y;
}

/* Ordered by number, the parts of a container first. To be freed; NULL without memory. */
static struct passed_file *in_order(const struct passed_fds *passed)
{
	struct passed_file *files = malloc(passed->count * sizeof(*files));
	uint32_t i;

	if (!files)
		return NULL;
	for (i = 0; i < passed->count; i++)
		files[i] =
			(struct passed_file){ passed->fds[i], passed->numbers[i] };
	qsort(files, passed->count, sizeof(*files), compare);
	return files;
}

/* What the child does not take: if the server has refused the call, its answer says why. */
static void send_packets(int socket, const struct passed_file *files, uint32_t count)
{
	while (count) {
		struct clone_more_packet packet;
		int fds[SHADOW_CLONE_FILES_MAX];
		struct iovec part = { &packet, 0 };
		uint32_t i;

		packet.count = count < SHADOW_CLONE_FILES_MAX
				       ? count
				       : SHADOW_CLONE_FILES_MAX;
		packet.left = count - packet.count;
		for (i = 0; i < packet.count; i++) {
			fds[i] = files[i].fd;
			packet.numbers[i] = files[i].number;
		}
		part.iov_len = offsetof(struct clone_more_packet, numbers) +
			       packet.count * sizeof(packet.numbers[0]);
		if (channel_send_fds(socket, &part, 1, fds, packet.count) !=
		    (ssize_t)part.iov_len)
			return;
		files += packet.count;
		count = packet.left;
	}
}

/*
 * The call has the container, the standard three and the highest numbers, by which the server judges whether a child
 * may have such numbers. The child itself gets the others from a socket that comes with it.
 */
static int send_split(const struct clone_call *call, uint32_t flags,
		      const struct passed_file *files)
{
	const uint32_t room = SHADOW_CLONE_FILES_MAX - 1;
	int fds[SHADOW_CLONE_FILES_MAX], ends[2], err;
	int32_t numbers[SHADOW_CLONE_FILES_MAX];
	struct passed_fds direct = { .fds = fds, .numbers = numbers };
	uint32_t first = 0, count = call->passed.count, high, i;

	while (first < count && files[first].number <= STDERR_FILENO)
		first++;
	if (first > room)
		return fail(-E2BIG,
			    "a child of %s enters more control groups than "
			    "a call has room for",
			    call->what);
	high = count - (room - first);
	for (i = 0; i < count; i++) {
		if (i >= first && i < high)
			continue;
		fds[direct.count] = files[i].fd;
		numbers[direct.count++] = files[i].number;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return fail(-errno,
			    "the open files of a child of %s cannot be passed: %s",
			    call->what, strerror(errno));
	fds[direct.count] = ends[0];
	numbers[direct.count++] = SHADOW_CLONE_MORE;
	err = channel_set_deadline(ends[1], CHANNEL_DEADLINE_MS);
	err = err ? fail(err, "a socket has no deadline: %s", strerror(-err))
		  : send_request(call, flags, &direct);
	close(ends[0]);
	if (!err)
		send_packets(ends[1], files + first, high - first);
	close(ends[1]);
	return err;
}

int clone_call_send(const struct clone_call *call, uint32_t flags)
{
	struct passed_file *files;
	int err;

	if (call->passed.count <= SHADOW_CLONE_FILES_MAX)
		return send_request(call, flags, &call->passed);
	files = in_order(&call->passed);
	if (!files)
		return no_memory_for(call);
	err = send_split(call, flags, files);
	free(files);
	return err;
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
