/* SPDX-License-Identifier: GPL-2.0 */
/* A snapshot of another machine: its descriptor and its pages, over TCP. */
#ifndef MITOSIS_REMOTE_H
#define MITOSIS_REMOTE_H

#include <linux/types.h>

struct descriptor_header;
struct mitosis_options;
struct page;
struct remote;

/*
 * By the session to that machine. With MITOSIS_OPTION_CACHE, children of one
 * snapshot share it and its pages. Returns 0, -ENOTCONN, -ENOENT, what
 * mitosis_link_connect() says, -EBADMSG: an impossible descriptor, -ENOMEM, or -EINTR:
 * the caller is to die.
 */
int mitosis_remote_open(u32 machine_id, u32 handler_id,
			const struct mitosis_options *options, struct remote **remote);
void mitosis_remote_put(struct remote *remote);

/* Forgets the pages that were kept. With no work item under way. */
void mitosis_remotes_exit(void);

const struct descriptor_header *mitosis_remote_descriptor(const struct remote *remote);

/*
 * Gets the page at `address`, with a reference, to be mapped by the caller's
 * child; NULL if it holds nothing but zeros, which take no memory. Asks for the
 * others of the `count` from `first` on in one go; they are kept here until they
 * are needed. Returns 0 or -errno as above. Waits, at most the deadline of the
 * options.
 */
int mitosis_remote_page(struct remote *remote, unsigned long address, unsigned long first,
			unsigned long count, struct page **page);

#endif /* MITOSIS_REMOTE_H */
