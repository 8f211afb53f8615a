/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pages of a snapshot come from: this process's own memory, or another machine. */
#ifndef PAGING_PAGE_SOURCE_H
#define PAGING_PAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "local/child_limits.h"
#include "local/protocol.h"
#include "local/replica.h"
#include "paging/shared_pages.h"
#include "paging/trace.h"
#include "proto/descriptor.h"

struct recording;

struct clone_request {
	uint32_t namespaces; /* CLONE_NEW* */
	uint32_t flags;	     /* SHADOW_CLONE_WITH_FILES */
	int cpu;	     /* that the child is to run on; -1: any */
	uint64_t cpus; /* the same as a set of the first 64; 0: `cpu` says it */
	uint32_t machine_id; /* that the child is told, with its number */
	uint64_t number;
	uint32_t count;
	int passed[SHADOW_CLONE_FILES_MAX]; /* in this process */
	/* In the child, or SHADOW_CLONE_*. */
	int32_t numbers[SHADOW_CLONE_FILES_MAX];
};

/* Requests for pages that a source waits for at a time while it serves others. */
#define PAGE_SOURCE_LATE_MAX 4

/* No page has this address. */
#define PAGE_SOURCE_NONE (~0ull)

struct page_source {
	const struct descriptor_header *descriptor;
	struct child_limits limits;
	int answer_ms; /* that another machine may take to receive an answer */
	bool caching;  /* a child asked for its pages to be kept */
	struct shared_pages shared;
	uint64_t share_limit; /* bytes that a new replica may get */
	enum replica_fill replica_fill;
	bool remote; /* its pages are not in this process's memory */
	bool alone; /* and no longer anywhere else than in its replica: see go_alone() */
	/* Of the server. While it is on, fetched pages are kept as if `caching`. */
	const struct recording *recording;
	struct trace trace;
	const char *failure; /* why it has failed, with a newline; or NULL */
	const char *
		late_failure; /* once fetch() has said -EREMOTEIO: why, with a newline */
	bool sets_aside; /* fetch() may: who calls it goes on without pages that are late */
	/* With `sets_aside`, the page for which that is: what is not there beside it need not be asked for. */
	uint64_t needed;

	/*
	 * Makes pages readable: *bytes is where, *length how many, which may be
	 * less than asked for. Valid until the next call. Returns 0 or -errno: -EFAULT the
	 * snapshot has none there; -EINPROGRESS (see `sets_aside`) they are late, and to be
	 * fetched again when late_serve() says so; -EREMOTEIO these have not come, others
	 * may; anything else: it will not give any again.
	 */
	int (*fetch)(struct page_source *source, uint64_t address, uint64_t *length,
		     const void **bytes);

	/*
	 * Of a source that sets pages aside, else NULL: the ms until late_serve() has to be called, or -1
	 * without such pages; and sooner when one of these files is readable. Returns how many there are.
	 */
	int (*late_in_ms)(const struct page_source *source);
	uint32_t (*late_files)(const struct page_source *source,
			       int files[PAGE_SOURCE_LATE_MAX]);

	/* Takes what has come. True if pages that were set aside are there, or will not come. */
	bool (*late_serve)(struct page_source *source);

	/* The recording has ended: drops the kept pages unless `caching`. May be NULL. */
	void (*forget)(struct page_source *source);

	/*
	 * Narrows [*start, *end) to its first run of pages that are worth
	 * copying. Returns 0, -ENOENT if there is none, or -errno.
	 */
	int (*next_run)(struct page_source *source, uint64_t *start, uint64_t *end);

	/* Copies what may lie in any VMA, even one of PROT_NONE. Returns 0 or -EFAULT. */
	int (*read)(struct page_source *source, uint64_t address, void *buffer,
		    size_t size);

	/*
	 * Of a remote source, else NULL: copies many pages, with few round trips. An address whose page
	 * the snapshot does not have becomes PAGE_SOURCE_NONE, and its bytes are undefined. Returns 0,
	 * or -errno: it will not give any again.
	 */
	int (*read_many)(struct page_source *source, uint64_t *pages, uint32_t count,
			 void *bytes);

	/*
	 * Whether a further child may come: 0, or -errno when the snapshot has
	 * been dropped where it lies. NULL: the daemon tells, by closing the channel.
	 */
	int (*admit)(struct page_source *source);

	/*
	 * The connection of a remote source has ended. True if it has no need of it: from then on it is
	 * `alone`, as it may become in any other call. NULL: it needs one.
	 */
	bool (*go_alone)(struct page_source *source);

	/*
	 * The ms after which admit() has to be called even if no child comes, or -1. A source that could
	 * go on alone must know of a drop soon. NULL: never.
	 */
	int (*ask_in_ms)(const struct page_source *source);

	/*
	 * Forks a child with the given files and no others, in the given container.
	 * Returns a pidfd of it or -errno. NULL: only memory of this process can be
	 * forked.
	 */
	int (*clone)(struct page_source *source,
		     const struct clone_request *request);

	/*
	 * Returns a descriptor from which the pages can be read at their addresses, open
	 * as long as the source is. NULL: only memory of this process has one.
	 */
	int (*memory)(const struct page_source *source);

	/*
	 * Of a source whose memory is not this process's, else NULL: starts the process that
	 * becomes its replica, with copies of these files. Returns a pidfd or -errno.
	 */
	int (*start_replica)(struct page_source *source,
			     const int fds[REPLICA_FILES]);

	/*
	 * With `start_replica`: begins to give the replica in `shared` all pages, in the background.
	 * It may fail, and ends with the replica; nothing waits for it.
	 */
	void (*fill_replica)(struct page_source *source);

	/*
	 * Forks a second server of the same pages, for what comes over `channel`
	 * as from mitosisd; it ends like a shadow whose daemon has gone. Returns a
	 * pidfd of it or -errno. NULL: one server is all there is.
	 */
	int (*fork_cpu_server)(struct page_source *source, int channel);
};

#endif /* PAGING_PAGE_SOURCE_H */
