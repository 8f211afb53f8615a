/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attachment: what a resume on the user backend needs of one snapshot, fetched
 * in advance, so that its children need no round trip to mitosisd. A process
 * attaches once, and each process that it forks becomes a child.
 */
#ifndef LIB_ATTACHMENT_H
#define LIB_ATTACHMENT_H

#include "lib/daemon_link.h"
#include "lib/resume.h"
#include "libmitosis.h"

/*
 * Attaches to a snapshot: of this machine, or of `*machine_id`. Returns 0 or
 * -errno with a message.
 */
int attachment_create(struct daemon_link *link, const uint32_t *machine_id,
		      uint32_t handler_id, const struct resume_settings *settings,
		      struct mitosis_attachment **attachment);

/* NULL for modes clone and replica. */
const struct restore_plan *attachment_plan(const struct mitosis_attachment *a);

/*
 * Fetches the snapshot's descriptor, to be freed. *lost gets what children that are forked lack:
 * RESTORE_LOST_*. Of modes clone and replica. Returns 0, or -errno with a message.
 */
int attachment_fetch(const struct mitosis_attachment *a,
		     struct descriptor_header **descriptor, uint64_t *lost);

#endif /* LIB_ATTACHMENT_H */
