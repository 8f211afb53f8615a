// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/socket.h>
#include <linux/net.h>
#else
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#endif

#include "proto/descriptor.h"

/* A century and more, to which an offset can be added. */
#define CLOCK_NS_MAX (1ll << 62)

#define PROT_ALL    (PROT_READ | PROT_WRITE | PROT_EXEC)
#define MAP_ALLOWED (MAP_PRIVATE | MAP_SHARED | MAP_GROWSDOWN | MAP_STACK)
#define HEADER_FLAGS                                                                \
	(DESCRIPTOR_THREADS_MISSING | DESCRIPTOR_NO_NEW_PRIVS |                     \
	 DESCRIPTOR_UNDUMPABLE | DESCRIPTOR_LEADER_ENDED | DESCRIPTOR_SECCOMP |     \
	 DESCRIPTOR_TOLD)
#define FD_FLAGS                                                                    \
	(DESCRIPTOR_FD_CLOSE_ON_EXEC | DESCRIPTOR_FD_LOCKED |                       \
	 DESCRIPTOR_FD_GENERATED)
#define VMA_FLAGS                                                                   \
	(DESCRIPTOR_VMA_WIPE | DESCRIPTOR_VMA_NO_DUMP | DESCRIPTOR_VMA_HUGE |       \
	 DESCRIPTOR_VMA_NO_HUGE | DESCRIPTOR_VMA_MERGEABLE |                        \
	 DESCRIPTOR_VMA_SEALED | DESCRIPTOR_VMA_DROPPABLE |                         \
	 DESCRIPTOR_VMA_MAY_WRITE)

static bool sizes_fit(const struct descriptor_header *d, uint64_t size)
{
	return d->vma_count <= DESCRIPTOR_VMAS_MAX && d->thread_count &&
	       d->thread_count <= DESCRIPTOR_THREADS_MAX &&
	       d->fd_count <= DESCRIPTOR_FDS_MAX &&
	       d->data_size <= DESCRIPTOR_DATA_MAX && d->total_size == size &&
	       size == sizeof(*d) + sizeof(struct descriptor_thread) +
			       (uint64_t)(d->thread_count - 1) *
				       sizeof(struct descriptor_stopped_thread) +
			       (uint64_t)d->vma_count *
				       sizeof(struct descriptor_vma) +
			       (uint64_t)d->fd_count * sizeof(struct descriptor_fd) +
			       d->strings_size + d->data_size + d->xstate_size;
}

/* What XRSTOR would fault at; which features a CPU has, its user checks. */
static bool xstate_valid(const struct descriptor_header *d)
{
	const char *xstate = descriptor_xstate(d);
	const struct descriptor_xstate_header *h;
	uint32_t i;

	if (!xstate)
		return d->xfeatures == 0;
	if (d->xstate_size < XSTATE_SIZE_MIN || d->xstate_size > XSTATE_SIZE_MAX ||
	    (d->total_size - d->xstate_size) % XSTATE_ALIGNMENT ||
	    d->xfeatures & ~XSTATE_FEATURES)
		return false;
	h = (const struct descriptor_xstate_header *)(xstate + XSTATE_LEGACY_SIZE);
	if (h->features & ~d->xfeatures || h->compacted)
		return false;
	for (i = 0; i < sizeof(h->reserved) / sizeof(h->reserved[0]); i++)
		if (h->reserved[i])
			return false;
	return !(*(const uint32_t *)(xstate + XSTATE_MXCSR_OFFSET) &
		 ~XSTATE_MXCSR_MASK);
}

/* As prctl(PR_SET_MM_MAP) wants it. */
static bool layout_valid(const struct descriptor_layout *l)
{
	return l->start_code <= l->end_code && l->end_code < USER_MEMORY_END &&
	       l->start_data <= l->end_data && l->end_data < USER_MEMORY_END &&
	       l->start_brk <= l->brk && l->brk < USER_MEMORY_END &&
	       l->start_stack < USER_MEMORY_END && l->arg_start <= l->arg_end &&
	       l->arg_end < USER_MEMORY_END && l->env_start <= l->env_end &&
	       l->env_end < USER_MEMORY_END;
}

/* What a kernel with these capabilities lets a process have. */
static bool credentials_valid(const struct descriptor_credentials *c)
{
	uint64_t known;

	if (c->last_capability > 63)
		return false;
	known = ~0ull >> (63 - c->last_capability);
	return !(c->effective & ~c->permitted) && !(c->permitted & ~known) &&
	       !(c->inheritable & ~known) && !(c->bounding & ~known);
}

/* sched(7): normal, batch and idle; first-in first-out and round-robin. */
static bool scheduling_valid(const struct descriptor_process *p)
{
	bool real_time = p->policy == 1 || p->policy == 2;

	return p->nice >= -20 && p->nice <= 19 &&
	       (real_time || p->policy == 0 || p->policy == 3 || p->policy == 5) &&
	       (real_time ? p->priority >= 1 && p->priority <= 99 : !p->priority);
}

static bool path_valid(const struct descriptor_header *d, uint32_t string)
{
	return string < d->strings_size && *descriptor_string(d, string) == '/';
}

/* What is not known is not looked at. */
static bool process_valid(const struct descriptor_header *d)
{
	const struct descriptor_process *p = &d->state;
	uint32_t i;

	for (i = 0; p->known & PROCESS_LIMITS && i < DESCRIPTOR_LIMITS; i++)
		if (p->limits[i].soft > p->limits[i].hard)
			return false;
	if (p->known & ~PROCESS_ALL || p->fresh & ~FRESH_ALL ||
	    p->auxv_words > DESCRIPTOR_AUXV_WORDS || p->auxv_words % 2)
		return false;
	if (p->known & PROCESS_FILE_MODE_MASK && p->file_mode_mask > 0777)
		return false;
	if (p->known & PROCESS_SCHEDULING && !scheduling_valid(p))
		return false;
	if (p->known & PROCESS_IO_PRIORITY && p->io_priority > 0xffff)
		return false;
	if (p->known & PROCESS_OOM_SCORE &&
	    (p->oom_score_adj < -1000 || p->oom_score_adj > 1000))
		return false;
	if (p->known & PROCESS_MERGING && p->merging > 1)
		return false;
	if (p->known & PROCESS_EXECUTION && p->execution > DESCRIPTOR_EXECUTION_MAX)
		return false;
	if (p->known & PROCESS_AUXV &&
	    (!p->auxv_words || p->auxv[p->auxv_words - 2]))
		return false;
	if (p->known & PROCESS_WORKING_DIRECTORY &&
	    !path_valid(d, p->working_directory))
		return false;
	return !(p->known & PROCESS_PROGRAM) || path_valid(d, p->program);
}

static bool string_valid(const struct descriptor_header *d, uint32_t string)
{
	return string == DESCRIPTOR_NO_STRING || string < d->strings_size;
}

static bool vma_valid(const struct descriptor_header *d,
		      const struct descriptor_vma *vma, uint64_t lowest,
		      uint64_t page_size)
{
	uint32_t sharing = vma->map_flags & (MAP_PRIVATE | MAP_SHARED);

	if (vma->start < lowest || vma->start >= vma->end ||
	    vma->end > USER_MEMORY_END || vma->start % page_size ||
	    vma->end % page_size || vma->offset % page_size ||
	    vma->offset + (vma->end - vma->start) < vma->offset)
		return false;
	if (vma->protection & ~PROT_ALL || vma->map_flags & ~MAP_ALLOWED ||
	    (sharing != MAP_PRIVATE && sharing != MAP_SHARED))
		return false;
	/* The kernel wipes private anonymous memory only. */
	if (vma->flags & ~VMA_FLAGS ||
	    (vma->flags & DESCRIPTOR_VMA_WIPE &&
	     (vma->kind != VMA_EMPTY || sharing != MAP_PRIVATE)))
		return false;
	if (vma->flags & DESCRIPTOR_VMA_DROPPABLE &&
	    !(vma->flags & DESCRIPTOR_VMA_WIPE))
		return false;
	if (!string_valid(d, vma->name) || !string_valid(d, vma->build_id) ||
	    !string_valid(d, vma->digest))
		return false;
	switch (vma->kind) {
	case VMA_FILE:
		return *descriptor_string(d, vma->name) == '/';
	case VMA_SNAPSHOT:
	case VMA_EMPTY:
	case VMA_KERNEL:
		return true;
	default:
		return false;
	}
}

/* Whether one VMA holds all of it. The VMAs ascend. */
static bool contains(const struct descriptor_header *d, uint64_t address,
		     uint64_t length)
{
	const struct descriptor_vma *vma = descriptor_find_vma(d, address);

	return vma && vma->end - address >= length;
}

static bool tid_valid(int32_t tid)
{
	return tid > 0 && tid <= DESCRIPTOR_TID_MAX;
}

/*
 * A child is made with these ids, so that each is there once, in ascending order, and
 * that of the process is one of them unless its first thread has ended.
 */
static bool ids_valid(const struct descriptor_header *d)
{
	const struct descriptor_stopped_thread *threads =
		descriptor_stopped_threads(d);
	int32_t caller = descriptor_thread(d)->tid;
	bool has_leader = caller == d->process;
	int32_t last = 0;
	uint32_t i;

	if (d->thread_count == 1)
		return !(d->flags & DESCRIPTOR_LEADER_ENDED) ||
		       (tid_valid(d->process) && tid_valid(caller) && !has_leader);
	if (!tid_valid(d->process) || !tid_valid(caller))
		return false;
	for (i = 0; i < d->thread_count - 1; i++) {
		if (threads[i].tid <= last || threads[i].tid == caller)
			return false;
		last = threads[i].tid;
		has_leader = has_leader || last == d->process;
	}
	return tid_valid(last) &&
	       has_leader == !(d->flags & DESCRIPTOR_LEADER_ENDED);
}

/* What is written before the child has given up what its parent had not: of its memory. */
static bool rseq_valid(const struct descriptor_header *d, uint64_t address,
		       uint32_t size)
{
	return !address || contains(d, address, size);
}

static bool stopped_thread_valid(const struct descriptor_stopped_thread *t)
{
	return t->frame < USER_MEMORY_END && t->fs_base < USER_MEMORY_END &&
	       t->gs_base < USER_MEMORY_END && !t->reserved &&
	       !t->name[DESCRIPTOR_NAME_SIZE - 1];
}

static bool socket_type_valid(uint64_t type)
{
	return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
}

/* Whether its data has room for so many options and at most `rest` bytes more. */
static bool socket_data_valid(const struct descriptor_fd *fd, uint64_t options,
			      uint64_t rest)
{
	uint64_t size = options * sizeof(struct descriptor_socket_option);

	return options <= DESCRIPTOR_SOCKET_OPTIONS_MAX && fd->data_size >= size &&
	       fd->data_size - size <= rest;
}

/* What a kind has in its data, and which of its values another one must fit. */
static bool fd_values_valid(const struct descriptor_header *d,
			    const struct descriptor_fd *fd)
{
	const struct descriptor_fd *fds = descriptor_fds(d), *other;
	const uint64_t *v = fd->values;

	switch (fd->kind) {
	case FD_REFUSED:
		return v[0] >= 1 && v[0] <= FD_REFUSALS && !fd->data_size;
	case FD_STANDARD:
		return v[0] < DESCRIPTOR_FD_FIRST && !fd->data_size;
	case FD_FILE:
	case FD_DIRECTORY:
	case FD_DEVICE:
	case FD_FIFO:
		return *descriptor_string(d, fd->path) == '/' && !fd->data_size;
	case FD_MEMORY:
	case FD_PIPE:
		return true;
	case FD_EPOLL:
		return !(fd->data_size % sizeof(struct descriptor_epoll_item));
	case FD_SOCKET_PAIR:
		other = v[1] < d->fd_count ? &fds[v[1]] : fd;
		return other != fd && other->kind == FD_SOCKET_PAIR &&
		       other->shares == DESCRIPTOR_FD_OWN &&
		       other->values[0] == v[0] && socket_type_valid(v[0]) &&
		       other->values[1] == (uint64_t)(fd - fds) &&
		       v[2] <= FD_SHUT_ALL &&
		       socket_data_valid(fd, v[3], DESCRIPTOR_FD_DATA_MAX);
	case FD_SOCKET:
		return (v[0] == AF_UNIX || v[0] == AF_INET || v[0] == AF_INET6) &&
		       socket_type_valid(v[1]) &&
		       !((uint32_t)v[3] & ~FD_SOCKET_FLAGS) &&
		       socket_data_valid(fd, v[3] >> FD_SOCKET_OPTIONS_SHIFT,
					 FD_SOCKET_ADDRESS_MAX);
	default:
		return fd->kind <= FD_KINDS && fd->kind && !fd->data_size;
	}
}

static bool fd_valid(const struct descriptor_header *d, uint32_t i, uint64_t lowest)
{
	const struct descriptor_fd *fds = descriptor_fds(d), *fd = &fds[i];

	if (fd->number < lowest || fd->number > 0x7fffffff ||
	    fd->flags & ~FD_FLAGS || fd->position >> 63)
		return false;
	if (fd->path != DESCRIPTOR_NO_STRING && fd->path >= d->strings_size)
		return false;
	if (fd->data_size > DESCRIPTOR_FD_DATA_MAX || fd->data > d->data_size ||
	    fd->data_size > d->data_size - fd->data)
		return false;
	if (fd->shares == DESCRIPTOR_FD_OWN)
		return fd_values_valid(d, fd);
	return fd->shares < i && fds[fd->shares].shares == DESCRIPTOR_FD_OWN &&
	       fds[fd->shares].kind == fd->kind && !fd->data_size;
}

static bool fds_valid(const struct descriptor_header *d)
{
	const struct descriptor_fd *fds = descriptor_fds(d);
	uint64_t lowest = DESCRIPTOR_FD_FIRST;
	uint32_t i;

	for (i = 0; i < d->fd_count; i++) {
		if (!fd_valid(d, i, lowest))
			return false;
		lowest = (uint64_t)fds[i].number + 1;
	}
	return true;
}

static bool clocks_valid(const struct descriptor_header *d)
{
	return d->monotonic_ns >= 0 && d->monotonic_ns <= CLOCK_NS_MAX &&
	       d->boottime_ns >= 0 && d->boottime_ns <= CLOCK_NS_MAX;
}

static int cpu_features_valid(const struct descriptor_header *d)
{
	uint32_t i;

	for (i = 0; i < CPU_FEATURE_WORDS; i++)
		if (d->cpu_features[i] & ~cpu_feature_masks[i])
			return 0;
	return 1;
}

static bool replica_entry_valid(const struct descriptor_header *d)
{
	return !d->replica_entry || contains(d, d->replica_entry, 1);
}

static bool threads_valid(const struct descriptor_header *d)
{
	const struct descriptor_stopped_thread *threads =
		descriptor_stopped_threads(d);
	uint32_t i;

	for (i = 0; i < d->thread_count - 1; i++)
		if (!stopped_thread_valid(&threads[i]))
			return false;
	return ids_valid(d);
}

/* All that does not depend on the VMAs. */
static bool parts_valid(const void *bytes, uint64_t size, uint64_t page_size)
{
	const struct descriptor_header *d = bytes;

	if (size < sizeof(*d) || d->magic != DESCRIPTOR_MAGIC ||
	    d->version != DESCRIPTOR_VERSION || d->header_size != sizeof(*d) ||
	    d->page_size != page_size || !clocks_valid(d) || !sizes_fit(d, size) ||
	    d->name[DESCRIPTOR_NAME_SIZE - 1])
		return false;
	if (d->strings_size &&
	    ((const char *)bytes)[size - d->xstate_size - d->data_size - 1] != '\0')
		return false;
	return xstate_valid(d) && layout_valid(&d->layout) &&
	       credentials_valid(&d->credentials) && !(d->flags & ~HEADER_FLAGS) &&
	       process_valid(d) && cpu_features_valid(d) && fds_valid(d) &&
	       threads_valid(d);
}

int descriptor_check_description(const void *bytes, uint64_t size,
				 uint64_t page_size)
{
	const struct descriptor_header *d = bytes;

	return parts_valid(bytes, size, page_size) && !d->vma_count &&
			       !d->xstate_size
		       ? 0
		       : -EPROTO;
}

int descriptor_check(const void *bytes, uint64_t size, uint64_t page_size)
{
	const struct descriptor_header *d = bytes;
	const struct descriptor_stopped_thread *stopped;
	const struct descriptor_thread *thread;
	const struct descriptor_vma *vmas;
	uint64_t lowest = page_size;
	uint32_t i;

	if (!parts_valid(bytes, size, page_size))
		return -EPROTO;
	vmas = descriptor_vmas(d);
	for (i = 0; i < d->vma_count; i++) {
		if (!vma_valid(d, &vmas[i], lowest, page_size))
			return -EPROTO;
		lowest = vmas[i].end;
	}
	thread = descriptor_thread(d);
	/* rsp may be the very top of its stack. */
	if (!contains(d, thread->rip, 1) || !contains(d, thread->rsp - 1, 1) ||
	    (thread->tid_address && !contains(d, thread->tid_address, 4)) ||
	    !rseq_valid(d, thread->rseq_address, thread->rseq_size) ||
	    thread->fs_base >= USER_MEMORY_END ||
	    thread->gs_base >= USER_MEMORY_END || !replica_entry_valid(d))
		return -EPROTO;
	stopped = descriptor_stopped_threads(d);
	for (i = 0; i < d->thread_count - 1; i++)
		if (!contains(d, stopped[i].frame, DESCRIPTOR_FRAME_SIZE) ||
		    !rseq_valid(d, stopped[i].rseq_address, stopped[i].rseq_size))
			return -EPROTO;
	return 0;
}
