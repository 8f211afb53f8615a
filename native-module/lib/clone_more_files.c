// SPDX-License-Identifier: Apache-2.0
/* Runs in clones: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/clone_more_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "lib/shadow_process.h"
#include "local/channel.h"
#include "paging/raw_message.h"

int clone_more_files_socket(const struct clone_request *request)
{
	uint32_t i;

	for (i = 0; i < request->count; i++)
		if (request->numbers[i] == SHADOW_CLONE_MORE)
			return request->passed[i];
	return -1;
}

/* Whether a packet of `count` files has come, with numbers that ascend behind those before. */
static bool is_right(const struct clone_more_packet *packet, long size,
		     const struct clone_more_files *before)
{
	const long header = offsetof(struct clone_more_packet, numbers);
	int32_t last =
		before->count
			? shadow_clone_number(before->numbers[before->count - 1])
			: -1;
	uint32_t i;

	if (size < header || packet->count > PASSED_FDS_MAX || !packet->count ||
	    packet->left > DESCRIPTOR_FDS_MAX ||
	    size != header + (long)(packet->count * sizeof(packet->numbers[0])))
		return false;
	for (i = 0; i < packet->count; i++) {
		int32_t number = shadow_clone_number(packet->numbers[i]);

		if (number <= last)
			return false;
		last = number;
	}
	return true;
}

static bool has_number(const struct clone_more_packet *packet, int number)
{
	uint32_t i;

	for (i = 0; i < packet->count; i++)
		if (shadow_clone_number(packet->numbers[i]) == number)
			return true;
	return false;
}

/* Moves an open file to a number that no file of the packet has. */
static bool step_aside(const struct clone_more_packet *packet, int *fd)
{
	long moved = 0;

	if (*fd < 0 || !has_number(packet, *fd))
		return true;
	for (;; moved++) {
		moved = raw_syscall(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, moved);
		if (moved < 0)
			return false;
		if (!has_number(packet, (int)moved))
			break;
		raw_syscall(SYS_close, moved);
	}
	raw_syscall(SYS_close, *fd);
	*fd = (int)moved;
	return true;
}

/*
 * The kernel has put the files to the lowest free numbers, in their order. As theirs were free, too, and ascend, none
 * is above its own: from the last one on, no number is in the way.
 */
static bool place(const struct clone_more_packet *packet, const int *fds)
{
	uint32_t i = packet->count;

	while (i--) {
		int32_t number = shadow_clone_number(packet->numbers[i]);
		int flags =
			packet->numbers[i] & SHADOW_CLONE_ON_EXEC ? FD_CLOEXEC : 0;

		if (fds[i] == number)
			raw_syscall(SYS_fcntl, number, F_SETFD, flags);
		else if (raw_syscall(SYS_dup3, fds[i], number,
				     flags ? O_CLOEXEC : 0) != number ||
			 raw_syscall(SYS_close, fds[i]))
			return false;
	}
	return true;
}

static bool remember(struct clone_more_files *files,
		     const struct clone_more_packet *packet, uint32_t *room)
{
	uint32_t i;

	if (!files->numbers) {
		*room = packet->count + packet->left;
		files->numbers =
			shadow_process_map(*room * sizeof(files->numbers[0]));
	}
	if (!files->numbers || files->count + packet->count + packet->left != *room)
		return false;
	for (i = 0; i < packet->count; i++)
		files->numbers[files->count++] = packet->numbers[i];
	return true;
}

long clone_more_files_take(struct clone_more_files *files, int socket, int *lifeline)
{
	struct clone_more_packet packet = { .left = 1 };
	int fds[PASSED_FDS_MAX];
	uint32_t room = 0;

	raw_set_deadline(socket, CHANNEL_DEADLINE_MS);
	while (packet.left) {
		/* First without the files, whose numbers have to be free when they come. */
		long size =
			raw_receive_some(socket, &packet, sizeof(packet), MSG_PEEK);

		if (!is_right(&packet, size, files))
			return size < 0 ? size : -EPROTO;
		if (!step_aside(&packet, &socket) || !step_aside(&packet, lifeline))
			return -EMFILE;
		if (raw_receive(socket, &packet, sizeof(packet), 0, fds) != size ||
		    fds[packet.count - 1] < 0)
			return -EPROTO;
		if (!place(&packet, fds))
			return -EMFILE;
		if (!remember(files, &packet, &room))
			return -ENOMEM;
	}
	return raw_syscall(SYS_close, socket);
}

bool clone_more_files_of_parent(const struct clone_more_files *files,
				uint32_t number)
{
	uint32_t first = 0, end = files->count;

	while (first < end) {
		uint32_t middle = first + (end - first) / 2;
		uint32_t found = shadow_clone_number(files->numbers[middle]);

		if (found == number)
			return files->numbers[middle] & SHADOW_CLONE_OF_PARENT;
		if (found < number)
			first = middle + 1;
		else
			end = middle;
	}
	return false;
}

void clone_more_files_forget(struct clone_more_files *files)
{
	if (files->numbers)
		raw_syscall(SYS_munmap, files->numbers,
			    files->count * sizeof(files->numbers[0]));
	*files = (struct clone_more_files){ 0 };
}
