/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pager: a process that serves a snapshot of another machine to children on
 * this one, in place of the snapshot's shadow.
 */
#ifndef DAEMON_REMOTE_PAGER_H
#define DAEMON_REMOTE_PAGER_H

#include "daemon/page_counts.h"
#include "local/protocol.h"
#include "proto/user/auth.h"

/*
 * Runs in a process forked for it. Reports over `channel` by LOCAL_ANSWER whether
 * the snapshot could be opened, then serves the streams that LOCAL_SERVE brings. `origin`: where the
 * machine itself was last connected to, or with port 0.
 */
void remote_pager_run(int channel, const struct auth *auth,
		      struct page_counts *counts, uint32_t machine_id,
		      const struct local_address *address,
		      const struct local_address *origin, uint32_t handler_id)
	__attribute__((noreturn));

#endif /* DAEMON_REMOTE_PAGER_H */
