/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that waits in a page fault, for kernels without UFFDIO_POISON.
 *
 * A userfaultfd names the faulting thread by its number in the thread's own PID
 * namespace, where another process than that of this namespace may have it. So the
 * number only selects candidates. A candidate is killed, by its pidfd, if a change
 * that is made through the userfaultfd appears in the candidate's memory map.
 */
#ifndef DAEMON_FAULTING_PROCESS_H
#define DAEMON_FAULTING_PROCESS_H

#include <stdint.h>

/*
 * Kills the process whose thread `tid` waits for the page at `address` of a
 * userfaultfd. Returns 0, or -ESRCH if no process that this one may inspect is
 * proven to be that one; -ENOENT if the page is no longer under the userfaultfd; or
 * another -errno.
 */
int faulting_process_kill(int uffd, uint64_t address, uint64_t page_size,
			  uint32_t tid);

#endif /* DAEMON_FAULTING_PROCESS_H */
