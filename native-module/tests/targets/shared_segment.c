// SPDX-License-Identifier: Apache-2.0
/*
 * A System V shared memory segment whose number is 0, as the first one of a container's
 * IPC namespace: a child has its bytes, those too that the parent has not touched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "tests/targets/target.h"

#define PAGES 4

int main(void)
{
	char *writer, *memory;
	int id;

	if (unshare(CLONE_NEWIPC))
		target_skip("a new IPC namespace");
	id = shmget(IPC_PRIVATE, PAGES * PAGE, 0600 | IPC_CREAT);
	CHECK_EQ(id, 0);
	writer = shmat(id, NULL, 0);
	CHECK(writer != (char *)-1);
	writer[PAGE] = 'v';
	writer[2 * PAGE] = 'w';
	memory = shmat(id, NULL, 0);
	CHECK(memory != (char *)-1);
	CHECK_EQ(memory[PAGE], 'v');
	CHECK_EQ(shmdt(writer), 0);
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
	target_prepare();
	CHECK_EQ(memory[PAGE], 'v');
	CHECK_EQ(memory[2 * PAGE], 'w'); /* not touched by way of this mapping */
	CHECK_EQ(memory[3 * PAGE], 0);
	/* The bytes are the child's own memory; it is attached to no segment. */
	errno = 0;
	CHECK(shmdt(memory));
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(memory[PAGE], 'v');
	CHECK(target_report_has("System V segments: a copy, attached to none"));
	target_child_has("System V segments", "kept");
	target_child_has("attachments to System V segments (shmdt)", "none");
	return 0;
}
