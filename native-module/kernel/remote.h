/* SPDX-License-Identifier: GPL-2.0 */
/* A snapshot of another machine: its descriptor, over TCP, and its pages, by RDMA or TCP. */
#ifndef MITOSIS_REMOTE_H
#define MITOSIS_REMOTE_H

#include <linux/types.h>

#include "proto/wire.h"
#include "remote_name.h"
#include "uapi/mitosis.h"

struct descriptor_header;
struct page;
struct remote;

/*
 * Opens a snapshot through the session to its machine. With MITOSIS_OPTION_CACHE,
 * the children of one snapshot share it and its pages. Returns 0 or -errno: as
 * mitosis_link_connect(); -ENOTCONN no session; -ENOENT no such snapshot; -EBADMSG
 * an invalid descriptor; -ENOMEM; -EINTR the caller got a fatal signal; by a token
 * also -EACCES, -EKEYEXPIRED, -EOPNOTSUPP; -EUSERS the caller's user has too many
 * connections, -EBUSY the other machine has.
 */
int mitosis_remote_open(const struct remote_name *name, const struct mitosis_options *options,
			struct remote **remote);
/*
 * Asks the other machine whether there may be further children. Returns 0, -ENOENT the
 * snapshot was dropped, -EKEYREVOKED or -EKEYEXPIRED its token has ended, or -errno of
 * the connection.
 */
int mitosis_remote_check(struct remote *remote);
void mitosis_remote_get(struct remote *remote);
void mitosis_remote_put(struct remote *remote);

/* Empties the page cache. No work item may be running. */
void mitosis_remotes_exit(void);

const struct descriptor_header *mitosis_remote_descriptor(const struct remote *remote);

/*
 * Gets the page at `address`, with a reference; NULL if it holds only zeros. One
 * request also fetches the missing pages of the `count` from `first` on, which are
 * kept until they are needed. Returns 0 or -errno as above. Waits at most for the
 * deadline of the options.
 */
int mitosis_remote_page(struct remote *remote, unsigned long address, unsigned long first,
			unsigned long count, struct page **page);

/*
 * Asks which pages of [start, end) may be other than zeros: at most WIRE_RUNS_MAX runs, which
 * ascend; fewer say that there are no more. Returns 0 or -errno; waits as above.
 */
int mitosis_remote_runs(struct remote *remote, u64 start, u64 end, struct wire_run *runs,
			u32 *count);

#endif /* MITOSIS_REMOTE_H */
