/* SPDX-License-Identifier: GPL-2.0 */
/* What remote.c, remote_fetch.c and remote_runs.c share. */
#ifndef MITOSIS_REMOTE_STATE_H
#define MITOSIS_REMOTE_STATE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "remote_name.h"

struct link;
struct net;
struct rdma_link;

struct remote {
	struct kref refs;
	const struct net *net; /* the link holds it */
	struct remote_name name;
	bool cached;
	unsigned int deadline_ms; /* of the link; a late page ends it for all its children */
	struct descriptor_header *descriptor;
	u64 snapshot;	     /* its number on its machine: struct wire_rights */
	struct xarray pages; /* by number: cached or prefetched; or ZEROS */
	u32 user;	     /* who opened it: in whose shares its pages and requests are */
	struct mutex lock;   /* of the link; only workers take it */
	struct link *link;
	struct rdma_link *rdma; /* NULL: TCP only; used with the lock held */
	struct list_head node;	/* in the cache, which holds a reference */
	unsigned long used;	/* last use by a child, jiffies */
};

/*
 * Fetches pages, with a reference to each: by RDMA or over TCP. Returns 0 or -errno as
 * mitosis_remote_page().
 */
int mitosis_remote_fetch(struct remote *remote, unsigned long address, unsigned long count,
			 struct page **pages);

#endif /* MITOSIS_REMOTE_STATE_H */
