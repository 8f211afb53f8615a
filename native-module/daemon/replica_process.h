/* SPDX-License-Identifier: Apache-2.0 */
/* Starts what becomes a pager's replica: local/replica.h. */
#ifndef DAEMON_REPLICA_PROCESS_H
#define DAEMON_REPLICA_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "local/replica.h"

/*
 * Starts the program mitosis-replica, which lies beside mitosisd, with three files of this
 * process, in the order of their numbers there, and no others. Returns its pidfd, and its pid, or
 * -errno, with a message in the log.
 */
int replica_process_start(uint32_t machine_id, uint32_t handler_id,
			  const int fds[REPLICA_FILES], pid_t *pid);

#endif /* DAEMON_REPLICA_PROCESS_H */
