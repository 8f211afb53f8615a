// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/late_memory.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "lib/pagemap.h"
#include "lib/shadow_process.h"
#include "paging/raw_clock.h"
#include "paging/raw_syscall.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

/* Threads, each of which reads for one request at a time. */
#define READERS_MAX 8u
#define STACK_SIZE  8192u
/* Pages of which the pagemap is read at once. */
#define LOOKED_AT 256u
/* How long those are refused who ask again for a page that cannot be read, ms. */
#define FAILED_MS 1000
/* There is no deadline: the shadow looks again after that long. */
#define LOOK_AGAIN_MS 60000

enum work {
	WORK_NONE,
	WORK_READ,
};

struct reader {
	/* A futex. The reader ends its work, the server begins it. */
	_Atomic uint32_t work;
	_Atomic uint32_t has_first; /* the first page is there, further ones come */
	_Atomic uint64_t at;	    /* the page that it reads */
	uint64_t end;
	long error; /* of the first page, when the work has ended */
	int event;  /* of struct late_state */
	uint64_t page_size;
	/* The server's alone. */
	bool runs;	 /* there is such a thread */
	bool is_busy;	 /* its result has not been taken */
	bool has_told;	 /* the first page has been seen */
	uint64_t first;	 /* while it is busy */
	uint64_t failed; /* a page that could not be read, or PAGE_SOURCE_NONE */
	int64_t failed_until_ms;
	char stack[STACK_SIZE] __attribute__((aligned(64)));
};

/* In a mapping that begins as zeros. */
struct late_state {
	int event;     /* an eventfd: a reader has come further */
	uint32_t busy; /* readers */
	struct reader readers[READERS_MAX];
	/* Of each VMA the number of the first of its pages in `there`, of which only those that may be late count. */
	uint64_t *offsets;
	/*
	 * A bit for each: the page is there and the process's own, so it stays. One of a file can
	 * be dropped: it is looked for each time.
	 */
	uint8_t *there;
};

/*
 * Everything up to run_reader() runs in a reader.
 */

/* Where madvise(2) cannot do it: before Linux 5.14, and in memory of devices. */
static long read_byte(uint64_t address)
{
	char byte;
	struct iovec to = { .iov_base = &byte, .iov_len = 1 };
	struct iovec from = { .iov_base = (void *)address, .iov_len = 1 };
	long n = raw_syscall(SYS_process_vm_readv, raw_syscall(SYS_getpid), &to, 1,
			     &from, 1, 0);

	return n == 1 ? 0 : -EINVAL;
}

static long read_page(uint64_t address, uint64_t page_size)
{
	long err;

	do {
		err = raw_syscall(SYS_madvise, address, page_size,
				  MADV_POPULATE_READ);
	} while (err == -EINTR || err == -EAGAIN);
	return err == -EINVAL ? read_byte(address) : err;
}

static void tell(const struct reader *r)
{
	const uint64_t one = 1;

	raw_syscall(SYS_write, r->event, &one, sizeof(one));
}

static void __attribute__((noreturn)) run_reader(void *argument)
{
	struct reader *r = argument;

	for (;;) {
		long err;

		while (r->work != WORK_READ)
			raw_syscall(SYS_futex, &r->work, FUTEX_WAIT_PRIVATE,
				    WORK_NONE, 0, 0, 0);
		err = r->error = read_page(r->at, r->page_size);
		/* The first page is awaited; what follows it may be needed next. */
		while (!err && r->at + r->page_size < r->end) {
			if (!r->has_first) {
				r->has_first = true;
				tell(r);
			}
			r->at += r->page_size;
			err = read_page(r->at, r->page_size);
		}
		r->work = WORK_NONE;
		tell(r);
	}
}

static bool may_be_late(const struct late_memory *m,
			const struct descriptor_vma *vma)
{
	return vma->kind != VMA_KERNEL &&
	       (m->served || (vma->inode && !descriptor_is_object(vma)));
}

static struct late_state *map(const struct late_memory *m)
{
	const struct descriptor_header *d = m->descriptor;
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint64_t pages = 0, size;
	struct late_state *late;
	uint32_t i;
	long p;

	for (i = 0; i < d->vma_count; i++)
		if (may_be_late(m, &vmas[i]))
			pages += (vmas[i].end - vmas[i].start) / m->page_size;
	size = sizeof(*late) + d->vma_count * sizeof(uint64_t) + pages / 8 + 1;
	p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_LATE), size,
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p < 0 && p > -4096)
		return NULL;
	late = (struct late_state *)p;
	late->event = raw_syscall(SYS_eventfd2, 0, EFD_NONBLOCK | EFD_CLOEXEC);
	/* What the shadow forks has neither the threads nor the file. */
	if (late->event < 0 || raw_syscall(SYS_madvise, p, size, MADV_DONTFORK)) {
		if (late->event >= 0)
			raw_syscall(SYS_close, late->event);
		raw_syscall(SYS_munmap, p, size);
		return NULL;
	}
	late->offsets = (uint64_t *)(late + 1);
	late->there = (uint8_t *)(late->offsets + d->vma_count);
	pages = 0;
	for (i = 0; i < d->vma_count; i++) {
		late->offsets[i] = pages;
		if (may_be_late(m, &vmas[i]))
			pages += (vmas[i].end - vmas[i].start) / m->page_size;
	}
	for (i = 0; i < READERS_MAX; i++)
		late->readers[i].failed = PAGE_SOURCE_NONE;
	return late;
}

/* NULL: this process cannot have readers. */
static struct late_state *late_of(struct late_memory *m)
{
	if (m->state || m->is_never_late)
		return m->state;
	/* A filter of system calls may end the process for one that it does not know. */
	if (!(m->descriptor->flags & DESCRIPTOR_SECCOMP))
		m->state = map(m);
	m->is_never_late = !m->state;
	return m->state;
}

struct place {
	const struct descriptor_vma *vma;
	uint64_t bit; /* of the page, in `there` */
};

static bool is_there(const struct late_state *late, uint64_t bit)
{
	return late->there[bit / 8] >> bit % 8 & 1;
}

static void note_there(struct late_state *late, uint64_t bit)
{
	late->there[bit / 8] |= 1 << bit % 8;
}

/*
 * Looks at the pages from an address on, up to `end`. Returns how many of the first ones are
 * there, or of the first ones are not, which is *there.
 */
static uint64_t look(const struct late_memory *m, uint64_t address, uint64_t end,
		     const struct place *place, bool *there)
{
	uint64_t entries[LOOKED_AT], count = 0, i;
	uint64_t pages = (place->vma->end - address) / m->page_size;
	uint64_t wanted = (end - address) / m->page_size;
	long n;

	if (pages > LOOKED_AT)
		pages = LOOKED_AT;
	n = raw_syscall(SYS_pread64, m->pagemap, entries, pages * sizeof(*entries),
			address / m->page_size * sizeof(*entries));
	*there = n <= 0 || entries[0] & PAGEMAP_PRESENT;
	if (n <= 0)
		return wanted;
	pages = n / sizeof(*entries);
	for (i = 0; i < pages; i++)
		if (entries[i] & PAGEMAP_PRESENT && !(entries[i] & PAGEMAP_OF_FILE))
			note_there(m->state, place->bit + i);
	while (count < pages && count < wanted &&
	       !(entries[count] & PAGEMAP_PRESENT) == !*there)
		count++;
	return count;
}

/* Where one fails the others go on; without any, the server reads the page itself. */
static bool start_reader(struct late_state *late, struct reader *r,
			 uint64_t page_size)
{
	long id;

	r->event = late->event;
	r->page_size = page_size;
	id = shadow_process_fork(r->stack + sizeof(r->stack), run_reader, r,
				 CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
					 CLONE_THREAD | CLONE_SYSVSEM,
				 NULL, NULL);
	r->runs = id > 0;
	return r->runs;
}

/* One that has started, of these one without a failure to remember, if there is one. */
static struct reader *free_reader(struct late_state *late, uint64_t page_size)
{
	struct reader *found = NULL, *r;

	for (r = late->readers; r < late->readers + READERS_MAX; r++) {
		if (r->is_busy)
			continue;
		if (!r->runs)
			return found && found->failed == PAGE_SOURCE_NONE ? found
			       : start_reader(late, r, page_size)	  ? r
									  : found;
		if (!found || r->failed == PAGE_SOURCE_NONE)
			found = r;
	}
	return found;
}

/* Has the pages [address, end) read, as far as they are not yet. */
static int ask(struct late_memory *m, const struct trace *t, uint64_t address,
	       uint64_t end)
{
	struct late_state *late = m->state;
	struct reader *r;

	for (r = late->readers; r < late->readers + READERS_MAX; r++) {
		if (r->failed == address && raw_now_ms() < r->failed_until_ms)
			return -EFAULT;
		if (r->is_busy && (r->first == address || r->at == address))
			return -EINPROGRESS;
	}
	r = free_reader(late, m->page_size);
	if (!r)
		return late->busy ? -EINPROGRESS : 0;
	trace(t, TRACE_STEPS, "a page of its own is late",
	      TRACE_NUMBER("address", address),
	      TRACE_NUMBER("length", end - address),
	      TRACE_NUMBER("reader", r - late->readers));
	r->failed = PAGE_SOURCE_NONE;
	r->is_busy = true;
	r->has_told = false;
	r->first = address;
	late->busy++;
	r->at = address;
	r->end = end;
	r->has_first = false;
	r->work = WORK_READ;
	raw_syscall(SYS_futex, &r->work, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	return -EINPROGRESS;
}

int late_memory_find(struct late_memory *m, const struct page_source *source,
		     uint64_t address, uint64_t *length)
{
	const struct descriptor_header *d = m->descriptor;
	const uint64_t needed = source->needed;
	struct place place = { .vma = descriptor_find_vma(d, address) };
	struct late_state *late;
	uint64_t end, pages, n = 0;
	bool there;

	if (!place.vma)
		return 0;
	if (*length > place.vma->end - address)
		*length = place.vma->end - address;
	if (!may_be_late(m, place.vma))
		return 0;
	late = late_of(m);
	if (!late)
		return 0;
	place.bit = late->offsets[place.vma - descriptor_vmas(d)] +
		    (address - place.vma->start) / m->page_size;
	pages = *length / m->page_size;
	while (n < pages && is_there(late, place.bit + n))
		n++;
	there = n;
	if (!n)
		n = look(m, address, address + *length, &place, &there);
	*length = n * m->page_size;
	if (there)
		return 0;
	end = address + *length;
	return needed >= address && needed < end
		       ? ask(m, &source->trace, needed, end)
		       : -EINPROGRESS;
}

int late_memory_in_ms(const struct late_memory *m)
{
	return m->state && m->state->busy ? LOOK_AGAIN_MS : -1;
}

uint32_t late_memory_files(const struct late_memory *m,
			   int files[PAGE_SOURCE_LATE_MAX])
{
	if (!m->state || !m->state->busy)
		return 0;
	files[0] = m->state->event;
	return 1;
}

/* Its work has ended. */
static void take_result(struct late_memory *m, const struct trace *t,
			struct reader *r)
{
	const struct descriptor_header *d = m->descriptor;
	const struct descriptor_vma *vma = descriptor_find_vma(d, r->first);

	r->is_busy = false;
	m->state->busy--;
	if (!r->error)
		return;
	trace(t, TRACE_STEPS, "a page of its own is not read",
	      TRACE_NUMBER("address", r->first), TRACE_NUMBER("error", -r->error));
	if (r->error == -EFAULT || r->error == -EHWPOISON) {
		r->failed = r->first;
		r->failed_until_ms = raw_now_ms() + FAILED_MS;
	} else {
		/* The server tries it: as memory of devices, it can perhaps be copied. */
		note_there(m->state, m->state->offsets[vma - descriptor_vmas(d)] +
					     (r->first - vma->start) / m->page_size);
	}
}

bool late_memory_serve(struct late_memory *m, const struct trace *t)
{
	struct late_state *late = m->state;
	bool changed = false;
	struct reader *r;
	uint64_t count;

	raw_syscall(SYS_read, late->event, &count, sizeof(count));
	for (r = late->readers; r < late->readers + READERS_MAX; r++) {
		if (!r->is_busy)
			continue;
		if (r->work == WORK_NONE) {
			take_result(m, t, r);
			changed = true;
		} else if (r->has_first && !r->has_told) {
			r->has_told = true;
			changed = true;
		}
	}
	return changed;
}
