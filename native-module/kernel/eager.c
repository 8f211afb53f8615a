// SPDX-License-Identifier: GPL-2.0
#include "eager.h"

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "page_runs.h"
#include "pages.h"
#include "proto/descriptor.h"
#include "remote.h"
#include "snapshot.h"

/* Of one request for runs: a server of the user backend looks at no more. */
#define RANGE_MAX (64ull << 30)

struct fetch {
	struct snapshot *snapshot; /* of this machine, or NULL */
	struct remote *remote;	   /* of another one */
	/* What that has said: the runs up to `asked`, of which runs[at] is the next one. */
	u64 asked;
	u32 count, at;
	struct wire_run runs[WIRE_RUNS_MAX];
};

static int ask_for_runs(struct fetch *f, u64 end)
{
	u64 limit = min(end, f->asked + RANGE_MAX);
	int err = mitosis_remote_runs(f->remote, f->asked, limit, f->runs, &f->count);
	const struct wire_run *last = f->runs + f->count - 1;

	if (err)
		return err;
	f->at = 0;
	/* A full list ends before the range does. */
	f->asked = f->count < WIRE_RUNS_MAX ? limit : last->address + last->length;
	return 0;
}

/* Narrows [*start, *end) to its next run of pages: 1, 0 if there is none, or -errno. */
static int next_run(struct fetch *f, u64 *start, u64 *end)
{
	const struct wire_run *run;

	if (f->snapshot)
		return mitosis_pages_next_run(&f->snapshot->pages, start, end);
	while (f->at == f->count) {
		int err;

		if (f->asked >= *end)
			return 0;
		err = ask_for_runs(f, *end);
		if (err)
			return err;
	}
	run = &f->runs[f->at++];
	*start = run->address;
	*end = run->address + run->length;
	return 1;
}

/*
 * Returns 1 if the parent has a page at the address, 0 if it has none or cannot read it, or
 * -errno. For another machine always 1: its pages must be fetched to know.
 */
static int has_page(const struct fetch *f, u64 address)
{
	struct page *page;
	int err;

	if (!f->snapshot)
		return 1;
	err = mitosis_pages_peek(&f->snapshot->pages, address, &page);
	if (err)
		return err == -EFAULT ? 0 : err;
	if (!page)
		return 0;
	put_page(page);
	return 1;
}

/* The fault maps its whole window, so the next addresses cause no fault. */
static int fault_in(u64 address)
{
	struct mm_struct *mm = current->mm;
	struct page *page;
	long n;

	mmap_read_lock(mm);
	n = compat_get_user_pages_remote(mm, address, 1, FOLL_FORCE, &page);
	mmap_read_unlock(mm);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	put_page(page);
	return 0;
}

static int fetch_run(const struct fetch *f, u64 at, u64 end)
{
	int err = 0;

	for (; at < end; at += PAGE_SIZE) {
		err = has_page(f, at);
		if (err > 0)
			err = fault_in(at);
		if (err < 0)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return err;
}

static int fetch_vma(struct fetch *f, const struct descriptor_vma *vma)
{
	u64 at = vma->start, end = vma->end;
	int err;

	f->asked = at;
	f->count = f->at = 0;
	while ((err = next_run(f, &at, &end)) > 0) {
		err = fetch_run(f, at, end);
		if (err)
			break;
		at = end;
		end = vma->end;
	}
	return err;
}

int mitosis_eager_fetch(const struct descriptor_header *descriptor, struct file **files,
			struct snapshot *snapshot, struct remote *remote)
{
	const struct descriptor_vma *vmas = descriptor_vmas(descriptor);
	struct fetch *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int err = 0;
	u32 i;

	if (!f)
		return -ENOMEM;
	f->snapshot = snapshot;
	f->remote = remote;
	for (i = 0; !err && i < descriptor->vma_count; i++)
		if (vmas[i].kind != VMA_KERNEL && vmas[i].kind != VMA_EMPTY && !files[i])
			err = fetch_vma(f, &vmas[i]);
	kfree(f);
	return err;
}
