// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/resume_hooks.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/restore.h"
#include "libmitosis.h"

static struct {
	mitosis_resume_hook hook;
	void *argument;
} hooks[MITOSIS_RESUME_HOOKS_MAX];
static unsigned int hook_count;
static pthread_mutex_t hooks_lock = PTHREAD_MUTEX_INITIALIZER;
/* Of the snapshot that this process takes: its children find it here. */
static struct mitosis_child snapshot;

_Static_assert(sizeof(struct mitosis_child) <= MITOSIS_CHILD_ROOM,
	       "there is room for what a child is told");

/* In prepare_entry.S: runs the hooks and returns 0 from prepare. */
extern const char prepare_child[] __attribute__((visibility("hidden")));

int mitosis_on_resume(mitosis_resume_hook hook, void *argument)
{
	int err = 0;

	if (!hook)
		return fail(-EINVAL, "the hook is NULL");
	pthread_mutex_lock(&hooks_lock);
	if (hook_count == MITOSIS_RESUME_HOOKS_MAX) {
		err = fail(-ENOSPC,
			   "this process already has %u hooks for its children, "
			   "which is the limit; combine two of them in one",
			   MITOSIS_RESUME_HOOKS_MAX);
	} else {
		hooks[hook_count].hook = hook;
		hooks[hook_count++].argument = argument;
	}
	pthread_mutex_unlock(&hooks_lock);
	return err;
}

bool resume_hooks_exist(void)
{
	return hook_count > 0;
}

void resume_hooks_set_snapshot(uint32_t handler_id, uint64_t generation)
{
	if (!hook_count)
		return;
	snapshot.handler_id = handler_id;
	snapshot.generation = generation;
}

void resume_hooks_divert(struct descriptor_thread *thread)
{
	if (!hook_count)
		return;
	/* The return address is still on the stack: prepare_child returns by it. */
	thread->rsp -= sizeof(uint64_t);
	thread->rip = (uintptr_t)prepare_child;
}

/* Not getrandom(3): its state in user space, where there is any, is the parent's. */
static void draw_seed(uint8_t seed[MITOSIS_SEED_SIZE])
{
	static const char message[] =
		"mitosis: a child gets no random bytes from getrandom, and ends\n";
	size_t done = 0;

	while (done < MITOSIS_SEED_SIZE) {
		long n = syscall(SYS_getrandom, seed + done,
				 MITOSIS_SEED_SIZE - done, 0);

		if (n > 0) {
			done += n;
		} else if (errno != EINTR) {
			/* It must not go on with its siblings' random numbers. */
			n = write(STDERR_FILENO, message, sizeof(message) - 1);
			(void)n;
			_exit(RESTORE_FAILED_STATUS);
		}
	}
}

void resume_hooks_run(uint64_t number, uint32_t machine_id,
		      const struct resume_times *times)
{
	struct mitosis_child child = snapshot;
	unsigned int i;

	child.size = sizeof(child);
	child.number = number;
	child.machine_id = machine_id;
	if (times) {
		child.descriptor_ns = times->descriptor_ns;
		child.born_ns = times->born_ns;
		child.files_ns = times->files_ns;
		child.mapped_ns = times->mapped_ns;
		child.go_ns = times->go_ns;
	}
	for (i = 0; i < hook_count; i++) {
		draw_seed(child.seed);
		hooks[i].hook(&child, hooks[i].argument);
	}
	explicit_bzero(&child, sizeof(child));
}

void mitosis_copy_child(const struct mitosis_child *child, void *argument)
{
	memcpy(argument, child, sizeof(*child));
}
