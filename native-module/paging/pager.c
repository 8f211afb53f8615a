// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/pager.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "paging/raw_syscall.h"
#include "paging/uffd_poison.h"
#include "paging/uffd_read.h"

static void wake(const struct address_space *p, uint64_t address)
{
	struct uffdio_range range = { .start = address, .len = p->page_size };

	raw_syscall(SYS_ioctl, p->uffd, UFFDIO_WAKE, &range);
}

static void put_off(const struct address_space *p, struct waiting_faults *pages,
		    uint64_t address)
{
	bool first = pages->start == pages->end;

	address &= ~(p->page_size - 1);
	if (first || address < pages->start)
		pages->start = address;
	if (first || address + p->page_size > pages->end)
		pages->end = address + p->page_size;
}

/* The waiting threads fault again. */
static void wake_all(const struct address_space *p, struct waiting_faults *pages)
{
	struct uffdio_range range = {
		.start = pages->start,
		.len = pages->end - pages->start,
	};

	if (range.len)
		raw_syscall(SYS_ioctl, p->uffd, UFFDIO_WAKE, &range);
	pages->end = pages->start;
}

static int fill_zero(const struct address_space *p, uint64_t address)
{
	struct uffdio_zeropage zero = {
		.range = { .start = address, .len = p->page_size },
	};
	int err = raw_syscall(SYS_ioctl, p->uffd, UFFDIO_ZEROPAGE, &zero);

	if (err == -EEXIST)
		wake(p, address);
	return err == -EEXIST ? 0 : err;
}

/* A read of that page raises SIGBUS. -EINVAL before Linux 6.6. */
static int poison(const struct address_space *p, uint64_t address)
{
	int err = uffd_poison(p->uffd, address, p->page_size);

	if (err == -EEXIST) {
		wake(p, address);
		return 0;
	}
	return err == -ENOTTY ? -EINVAL : err;
}

/* The parent could not read that page either: it is behind a file's end. */
static int fill_poison(const struct address_space *p, uint64_t address)
{
	int err = poison(p, address);

	return err == -EINVAL ? fill_zero(p, address) : err;
}

/* The page exists, but its source has failed: the fault must not read zeros. */
static int refuse(const struct address_space *p, uint64_t address)
{
	int err = poison(p, address);

	return err == -EINVAL || err == -ENOENT ? 0 : err;
}

/* As copy(), from bytes in this process. */
static uint64_t copy_bytes(const struct address_space *p, uint64_t address,
			   const void *bytes, uint64_t length, int *err)
{
	uint64_t done = 0;

	*err = 0;
	while (done < length) {
		struct uffdio_copy c = {
			.dst = address + done,
			.src = (uintptr_t)bytes + done,
			.len = length - done,
		};
		long result = raw_syscall(SYS_ioctl, p->uffd, UFFDIO_COPY, &c);

		if (result == 0)
			return length;
		if (c.copy > 0) {
			done += c.copy;
			continue;
		}
		if (result == -EEXIST) {
			wake(p, address + done);
			done += p->page_size;
			continue;
		}
		*err = result;
		return done;
	}
	return done;
}

static bool is_replica(const struct address_space *p)
{
	return p->uffd == p->source->shared.uffd;
}

/* Gives the replica pages of the snapshot, as far as it lacks them and can take them now. */
static int share(const struct address_space *p, uint64_t source, const void *bytes,
		 uint64_t length)
{
	struct shared_pages *shared = &p->source->shared;
	const struct shared_to to = {
		.uffd = shared->uffd,
		.left = &shared->left,
		.page_size = p->page_size,
	};
	int err;

	shared_pages_put(&to, source, bytes, length, &err);
	return err;
}

/*
 * Copies [address, address + length) from `source` of the snapshot. Pages that
 * are there already stay. Returns how many bytes are done, and in *err why
 * there are not more: -EAGAIN an event has to be read first; -EFAULT the page
 * cannot be read; -ENOENT it is not under this userfaultfd; -ESRCH no process
 * lives there; -EINPROGRESS the source has set it aside; -EREMOTEIO it does not come; -EIO
 * the source gives no page.
 */
static uint64_t copy(const struct address_space *p, uint64_t address,
		     uint64_t source, uint64_t length, int *err)
{
	uint64_t done = 0;

	*err = 0;
	while (done < length && !*err) {
		uint64_t n = length - done, at = source + done;
		const void *bytes;

		*err = p->source->fetch(p->source, at, &n, &bytes);
		if (*err) {
			if (*err != -EFAULT && *err != -EINPROGRESS &&
			    *err != -EREMOTEIO)
				*err = -EIO;
			break;
		}
		done += copy_bytes(p, address + done, bytes, n, err);
		/* The child need not wait for this. */
		if (p->source->shared.uffd >= 0 && !is_replica(p) && !*err)
			share(p, at, bytes, n);
	}
	return done;
}

/* Without memory for its map, it is lost. */
static void adopt(const struct address_space *p, int uffd,
		  struct address_space *forked)
{
	*forked = *p;
	forked->uffd = uffd;
	forked->recording = NULL;
	forked->late = (struct waiting_faults){ 0 };
	uffd_unblock(uffd);
	forked->problem = address_map_copy(&p->map, &forked->map);
	if (forked->problem)
		address_space_lose_map(forked);
}

static enum address_space_event refuse_all(struct address_space *p, int err)
{
	p->problem = err;
	return SPACE_REFUSED;
}

/* After a fault that was not served. The waiting thread faults again. */
static enum address_space_event leave(struct address_space *p, uint64_t address,
				      int err)
{
	if (err == -ESRCH)
		return SPACE_GONE;
	wake(p, address & ~(p->page_size - 1));
	/* -ENOMEM: the child's control group, say. */
	return err == -EIO ? SPACE_FAILED : refuse_all(p, err);
}

/*
 * A recorded address space gets page by page, so that each touch is seen. The
 * rest of the window is fetched from another machine but not copied: the next touch is likely there. What is late
 * is recorded when it is there: the end of the recording would wait for it.
 */
static void record(struct address_space *p, const struct segment *s,
		   uint64_t address, uint64_t start, uint64_t end)
{
	int err = 0;

	if (!p->source->remote) {
		start = address;
		end = address + p->page_size;
	}
	while (!err && start < end) {
		uint64_t length = end - start;
		const void *bytes;

		err = p->source->fetch(p->source, s->source + (start - s->start),
				       &length, &bytes);
		start += length;
	}
	if (err != -EINPROGRESS && err != -EREMOTEIO)
		recording_add(p->recording, s->source + (address - s->start));
}

/* The faulting page first, then what is behind it in its window. */
static int copy_from_fault(struct address_space *p, const struct segment *s,
			   uint64_t address, uint64_t end)
{
	int err;
	uint64_t done = copy(p, address, s->source + (address - s->start),
			     end - address, &err);

	return done && (err == -EINPROGRESS || err == -EREMOTEIO) ? 0 : err;
}

/*
 * Serves one fault. -EAGAIN: the child is changing its mappings, and its event
 * has to be read first; the child faults again if it still needs the page. -EINPROGRESS: so it
 * does when the page is there.
 */
static int serve_fault(struct address_space *p, uint64_t address)
{
	uint64_t window = p->window * p->page_size;
	const struct segment *s;
	uint64_t start, end;
	int err;

	address &= ~(p->page_size - 1);
	if (p->lost && !p->map.segments)
		return refuse(p, address);
	s = address_map_find(&p->map, address);
	if (!s)
		return fill_zero(p, address);
	if (p->lost)
		return refuse(p, address);
	/* Windows are aligned, so that random faults do not overlap. */
	start = address & ~(window - 1);
	end = start + window;
	if (start < s->start)
		start = s->start;
	if (end > s->end)
		end = s->end;
	p->source->needed = s->source + (address - s->start);
	if (p->recording && !recording_is_full(p->recording)) {
		record(p, s, address, start, end);
		start = address;
		end = address + p->page_size;
	}
	trace(&p->source->trace, TRACE_PAGES, "serves a fault",
	      TRACE_NUMBER("address", address), TRACE_NUMBER("start", start),
	      TRACE_NUMBER("pages", (end - start) / p->page_size));
	if (start < address) {
		/* A failure on an earlier page must not keep the faulting page back. */
		uint64_t done = copy(p, start, s->source + (start - s->start),
				     end - start, &err);

		if (start + done > address)
			return 0;
		if (err == -EAGAIN || err == -ESRCH || err == -EIO)
			return err;
	}
	err = copy_from_fault(p, s, address, end);
	if (err != -EFAULT && err != -ENOENT)
		return err;
	/*
	 * Some page of the window cannot be read, or the child has split the VMA:
	 * try the faulting page alone.
	 */
	if (copy(p, address, s->source + (address - s->start), p->page_size, &err) ==
	    p->page_size)
		return 0;
	if (err == -ENOENT) {
		wake(p, address); /* unmapped since */
		return 0;
	}
	return err == -EFAULT ? fill_poison(p, address) : err;
}

/*
 * The kernel delivers faults before events. A thread that waits for an event to be
 * read must not be woken sooner: its next fault would hold the event back for ever.
 */
enum address_space_event address_space_serve(struct address_space *p, bool only_one,
					     struct address_space *forked)
{
	struct waiting_faults waiting = { 0, 0 };

	for (;;) {
		struct uffd_msg msg;
		int err = uffd_read(p->uffd, &msg);

		if (err == -EAGAIN) {
			wake_all(p, &waiting);
			return SPACE_SERVED;
		}
		if (err) {
			/* It stays unread: no descriptor for what forks. */
			wake_all(p, &waiting);
			return refuse_all(p, err);
		}
		switch (msg.event) {
		case UFFD_EVENT_PAGEFAULT:
			p->source->sets_aside = true;
			err = serve_fault(p, msg.arg.pagefault.address);
			p->source->sets_aside = false;
			if (err == -EINPROGRESS)
				put_off(p, &p->late, msg.arg.pagefault.address);
			if (err == -EAGAIN)
				put_off(p, &waiting, msg.arg.pagefault.address);
			else if (err && err != -EINPROGRESS) {
				wake_all(p, &waiting);
				return leave(p, msg.arg.pagefault.address, err);
			} else if (only_one && waiting.start == waiting.end) {
				return SPACE_SERVED;
			}
			break;
		case UFFD_EVENT_FORK:
			wake_all(p, &waiting);
			adopt(p, msg.arg.fork.ufd, forked);
			return SPACE_FORKED;
		case UFFD_EVENT_REMAP:
			err = address_map_move(&p->map, msg.arg.remap.from,
					       msg.arg.remap.to, msg.arg.remap.len);
			break;
		case UFFD_EVENT_REMOVE:
		case UFFD_EVENT_UNMAP:
			err = address_map_remove(&p->map, msg.arg.remove.start,
						 msg.arg.remove.end);
			break;
		default:
			break;
		}
		if (err && err != -EAGAIN && err != -EINPROGRESS) {
			/* The map no longer says what the child has. */
			address_space_lose_map(p);
			wake_all(p, &waiting);
			return refuse_all(p, err);
		}
	}
}

void address_space_retry(struct address_space *p)
{
	wake_all(p, &p->late);
}

bool address_space_push(const struct address_space *p, uint64_t address,
			const void *bytes, uint64_t length)
{
	int err;

	/* It gets no more than its limit in this way, either. */
	if (is_replica(p))
		err = share(p, address, bytes, length);
	else
		copy_bytes(p, address, bytes, length, &err);
	/* -ENOENT: this child has mapped that page's file itself; -EAGAIN: it forks. */
	return !err || err == -ENOENT || err == -EFAULT ||
	       (err == -EAGAIN && is_replica(p));
}

int address_space_copy_all(struct address_space *p)
{
	uint32_t i;

	for (i = 0; i < p->map.count; i++) {
		const struct segment *s = &p->map.segments[i];
		uint64_t at = s->start;

		while (at < s->end) {
			uint64_t start = at, end = s->end;
			int err = p->source->next_run(p->source, &start, &end);

			if (err == -ENOENT)
				break;
			if (err)
				return err;
			copy(p, start, s->source + (start - s->start), end - start,
			     &err);
			/* The child mapped the file itself: nothing to copy here. */
			if (err == -ENOENT)
				break;
			if (err && err != -EFAULT)
				return err;
			at = end;
		}
	}
	return 0;
}

/*
 * Probes liveness with a no-op UFFDIO_WRITEPROTECT: the highest page of user memory
 * is never write-protected.
 */
bool address_space_is_alive(const struct address_space *p)
{
	struct uffdio_writeprotect w = {
		.range = { .start = USER_MEMORY_END - p->page_size,
			   .len = p->page_size },
	};

	return raw_syscall(SYS_ioctl, p->uffd, UFFDIO_WRITEPROTECT, &w) != -ESRCH;
}

void address_space_lose_map(struct address_space *p)
{
	address_map_destroy(&p->map);
	p->lost = true;
}

void address_space_destroy(struct address_space *p)
{
	/* Another one may get its number. */
	if (is_replica(p))
		p->source->shared.uffd = -1;
	raw_syscall(SYS_close, p->uffd);
	address_map_destroy(&p->map);
}
