/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What processes may do with the snapshots of this mitosisd. All permissions of the user
 * backend are decided here; SECURITY.md has the table.
 */
#ifndef DAEMON_OWNER_H
#define DAEMON_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "local/protocol.h"

/* Of a process, by the kernel's word. */
struct owner_rights {
	bool known;
	uint32_t uid[3], gid[3]; /* real, effective, saved */
	char namespace[256];	 /* the uid_map that it has */
	struct parent_rights has;
};

/*
 * Whether a process that opens a channel may prepare, list and drop: it has this
 * mitosisd's effective user id, or is root.
 */
bool owner_lets_manage(const struct ucred *process);

/*
 * Returns 0 if the process of a device may read and become the snapshot of a shadow: its
 * user and group ids (real, effective, saved) are the shadow's, in the same user
 * namespace, and it has at least its permitted capabilities. -EPERM: it may not, or this mitosisd does not see one of them, whose PID
 * namespace is neither its own nor below that. -ENOENT: the shadow has ended. `owner` is
 * where the shadow's rights are kept: they never change.
 */
int owner_lets_become(const struct ucred *device, const struct ucred *shadow,
		      struct owner_rights *owner);

/*
 * The shadow's rights, for other machines. Returns 0, or as above: whose rights this mitosisd
 * does not see, that is no other machine's snapshot either.
 */
int owner_read_rights(const struct ucred *shadow, struct owner_rights *owner);

#endif /* DAEMON_OWNER_H */
