/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that serves another machine's snapshot to children of this one:
 * to them it is what a shadow is on the snapshot's own machine.
 */
#ifndef DAEMON_REMOTE_PAGER_H
#define DAEMON_REMOTE_PAGER_H

#include "local/protocol.h"
#include "proto/user/auth.h"

/*
 * Runs in a process forked for it. Says over `channel` with LOCAL_ANSWER
 * whether the snapshot could be opened, then serves what LOCAL_SERVE brings.
 */
void remote_pager_run(int channel, const struct auth *auth, uint32_t machine_id,
		      const struct local_address *address, uint32_t handler_id)
	__attribute__((noreturn));

#endif /* DAEMON_REMOTE_PAGER_H */
