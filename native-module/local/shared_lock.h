/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock in memory that other processes can write to.
 *
 * It is one word, from which no address is taken: a process that writes other values
 * to it can hold the lock or end the exclusion, and no more. What it protects must
 * stay consistent without exclusion.
 */
#ifndef LOCAL_SHARED_LOCK_H
#define LOCAL_SHARED_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

#define SHARED_LOCK_DEADLINE_MS 1000

struct shared_lock {
	/*
	 * 0: free. Bits 0-30: the owner's thread id in its PID namespace; bit 31:
	 * somebody waits; bits 32-47: of its start time; bits 48-63: of its PID
	 * namespace's inode.
	 */
	_Atomic uint64_t word;
};

/*
 * Returns 0, or -ETIMEDOUT if a living thread has held the lock for
 * SHARED_LOCK_DEADLINE_MS. The lock of a thread that has ended is taken over at
 * once; that of a thread in another PID namespace, which cannot be checked, after
 * the deadline.
 */
int shared_lock_take(struct shared_lock *lock);

void shared_lock_release(struct shared_lock *lock);

/* For a process that may have its memory from another one, before its first lock. */
void shared_lock_forget_thread(void);

#endif /* LOCAL_SHARED_LOCK_H */
