// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/restore.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/prctl_numbers.h"
#include "lib/restorer.h"
#include "lib/rseq.h"
#include "lib/thread_state.h"
#include "paging/raw_message.h"
#include "paging/raw_syscall.h"
#include "uapi/mitosis.h"

/* Later than the headers of Debian 12. */
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
/* The highest limit of open files that systems set by default. */
#define CLOSED_ONE_BY_ONE 65536
/* Of a message: what stands behind the name must have room. */
#define MESSAGE_NAME_MAX 80

struct message {
	uint32_t size;
	char text[256];
};

INLINE void put_text(struct message *m, const char *text)
{
	for (; *text && m->size < sizeof(m->text) - 1; text++)
		m->text[m->size++] = *text;
}

/* Of a file, as another machine may have it: no escape sequence reaches a terminal. */
INLINE void put_name(struct message *m, const char *name)
{
	uint32_t i;

	for (i = 0; i < MESSAGE_NAME_MAX && name[i]; i++)
		m->text[m->size++] = name[i] < ' ' || name[i] > '~' ? '?' : name[i];
}

INLINE void put_number(struct message *m, uint64_t value, uint32_t base)
{
	uint64_t unit = 1;

	while (value / unit >= base)
		unit *= base;
	for (; unit && m->size < sizeof(m->text) - 1; unit /= base) {
		uint32_t digit = value / unit % base;

		m->text[m->size++] = digit + (digit < 10 ? '0' : 'a' - 10);
	}
}

RESTORER void restorer_give_up(const struct failure *f)
{
	struct message m;

	m.size = 0;
	if (f->in_clone)
		put_text(&m, TEXT("mitosis: a process that its snapshot has forked "
				  "cannot become the child: cannot "));
	else
		put_text(&m,
			 TEXT("mitosis: a process has left its memory and cannot "
			      "become the child: cannot "));
	put_text(&m, f->deed);
	if (f->name && *f->name) {
		put_text(&m, TEXT(" '"));
		put_name(&m, f->name);
		put_text(&m, TEXT("'"));
	}
	if (f->end) {
		put_text(&m, TEXT(" at "));
		put_number(&m, f->start, 16);
		put_text(&m, TEXT("-"));
		put_number(&m, f->end, 16);
	} else if (f->start) {
		put_text(&m, TEXT(" "));
		put_number(&m, f->start, 10);
	}
	put_text(&m, TEXT(": errno "));
	put_number(&m, -f->error, 10);
	m.text[m.size++] = '\n';
	raw_syscall(SYS_write, 2, m.text, m.size);
	for (;;)
		raw_syscall(SYS_exit_group, RESTORE_FAILED_STATUS);
}

/* The result of a call that returns an address, as -errno. */
INLINE long error_of(long result)
{
	return result < 0 ? result : -EEXIST;
}

INLINE void __attribute__((noreturn))
give_up_vma(const struct restore_plan *plan, uint32_t i, const char *deed,
	    long error)
{
	const struct descriptor_vma *vma = &plan->vmas[i];

	give_up_at(deed,
		   vma->name == DESCRIPTOR_NO_STRING ? 0 : plan->strings + vma->name,
		   vma->start, vma->end, error);
}

INLINE void forget_own_memory(struct restore_plan *plan)
{
	uint64_t to = plan->park;
	uint32_t i;
	long err =
		!plan->own_rseq
			? 0
			: raw_syscall(SYS_rseq, plan->own_rseq, plan->own_rseq_size,
				      RSEQ_UNREGISTER, plan->own_rseq_signature);

	if (err)
		give_up(TEXT("unregister its restartable sequences"), err);
	for (i = 0; to && i < plan->kernel_vma_count; i++) {
		uint64_t length = plan->kernel_vmas[i].length;

		err = raw_syscall(SYS_mremap, plan->kernel_vmas[i].start, length,
				  length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		if (err != (long)to)
			give_up_at(TEXT("move the vdso"), 0,
				   plan->kernel_vmas[i].start,
				   plan->kernel_vmas[i].start + length,
				   error_of(err));
		plan->kernel_vmas[i].start = to;
		to += length;
	}
	for (i = 0; i < plan->gap_count; i++) {
		err = raw_syscall(SYS_munmap, plan->gaps[i].start,
				  plan->gaps[i].end - plan->gaps[i].start);
		if (err)
			give_up_at(TEXT("unmap its own memory"), 0,
				   plan->gaps[i].start, plan->gaps[i].end, err);
	}
}

INLINE long map_bytes(const struct restore_plan *plan, uint32_t i)
{
	const struct descriptor_vma *vma = &plan->vmas[i];
	int32_t file = plan->files[i];
	uint32_t flags = MAP_FIXED_NOREPLACE;

	if (file >= 0)
		flags |= vma->map_flags & (MAP_PRIVATE | MAP_SHARED);
	else if (vma->flags & DESCRIPTOR_VMA_DROPPABLE)
		flags |= MAP_DROPPABLE | MAP_ANONYMOUS | MAP_NORESERVE;
	else
		flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			 (vma->map_flags & (MAP_GROWSDOWN | MAP_STACK));
	return raw_syscall(SYS_mmap, vma->start, vma->end - vma->start,
			   vma->protection, flags, file,
			   file >= 0 ? vma->offset : 0);
}

INLINE void map_vma(struct restore_plan *plan, uint32_t i)
{
	const struct descriptor_vma *vma = &plan->vmas[i];
	uint64_t length = vma->end - vma->start;
	long err = map_bytes(plan, i);

	/* Its file system is mounted noexec since it was opened: as mapping_files_open() does. */
	if (err == -EPERM && plan->files[i] >= 0 && vma->protection & PROT_EXEC &&
	    vma->map_flags & MAP_PRIVATE) {
		plan->files[i] = -1;
		err = map_bytes(plan, i);
	}
	if (err != (long)vma->start)
		give_up_vma(plan, i, TEXT("map memory"), error_of(err));
	err = vma->flags & DESCRIPTOR_VMA_WIPE
		      ? raw_syscall(SYS_madvise, vma->start, length, MADV_WIPEONFORK)
		      : 0;
	if (err)
		give_up_vma(plan, i, TEXT("set MADV_WIPEONFORK for"), err);
	err = vma->flags & DESCRIPTOR_VMA_NO_DUMP
		      ? raw_syscall(SYS_madvise, vma->start, length, MADV_DONTDUMP)
		      : 0;
	if (err)
		give_up_vma(plan, i, TEXT("set MADV_DONTDUMP for"), err);
}

INLINE bool has_hint(const struct restore_plan *plan, uint32_t i, uint16_t flag)
{
	return plan->vmas[i].kind != VMA_KERNEL && plan->vmas[i].flags & flag;
}

/*
 * Gives a hint to this VMA and those right before it, once the next one does not continue them:
 * the stacks of threads lie side by side, with the pages that guard them. A kernel may lack it.
 */
INLINE void advise(const struct restore_plan *plan, uint32_t i, uint16_t flag,
		   int advice)
{
	const struct descriptor_vma *vmas = plan->vmas;
	uint32_t first = i;

	if (!has_hint(plan, i, flag) ||
	    (i + 1 < plan->descriptor->vma_count && has_hint(plan, i + 1, flag) &&
	     vmas[i + 1].start == vmas[i].end))
		return;
	while (first && has_hint(plan, first - 1, flag) &&
	       vmas[first - 1].end == vmas[first].start)
		first--;
	raw_syscall(SYS_madvise, vmas[first].start, vmas[i].end - vmas[first].start,
		    advice);
}

INLINE long set_layout(struct restore_plan *plan)
{
	return raw_syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &plan->layout,
			   sizeof(plan->layout), 0);
}

/*
 * With arguments, environment, auxiliary vector and program. The last needs
 * CAP_SYS_RESOURCE or, from Linux 5.9 on, CAP_CHECKPOINT_RESTORE, and a file that may be
 * executed and is not written to.
 */
INLINE void set_whole_layout(struct restore_plan *plan)
{
	const struct descriptor_process *p = &plan->descriptor->state;
	long err;

	if (p->known & PROCESS_AUXV) {
		plan->layout.auxv = (void *)p->auxv;
		plan->layout.auxv_size = p->auxv_words * sizeof(*p->auxv);
	}
	plan->layout.exe_fd = plan->program;
	if (!set_layout(plan))
		return;
	plan->layout.exe_fd = -1;
	plan->lost |= PROCESS_PROGRAM;
	if (!set_layout(plan))
		return;
	plan->layout.auxv = 0;
	plan->layout.auxv_size = 0;
	plan->lost |= PROCESS_AUXV;
	err = set_layout(plan);
	if (err)
		give_up(TEXT("set where its program lies (PR_SET_MM_MAP)"), err);
}

/*
 * Others read /proc/PID/cmdline and environ at any time (ps, pgrep). In memory that is
 * mapped but not yet registered that would leave zero pages, which the page server
 * takes for pages that are there already. So there is nothing to read until
 * set_whole_layout().
 */
INLINE void hide_arguments(struct restore_plan *plan)
{
	uint64_t arg_end = plan->layout.arg_end;
	uint64_t env_end = plan->layout.env_end;
	long err;

	plan->layout.arg_end = plan->layout.arg_start;
	plan->layout.env_end = plan->layout.env_start;
	err = set_layout(plan);
	if (err)
		give_up(TEXT("set where its program lies (PR_SET_MM_MAP)"), err);
	plan->layout.arg_end = arg_end;
	plan->layout.env_end = env_end;
}

/* The child's own vdso goes where the parent's code expects one. */
INLINE void place_kernel_vma(struct restore_plan *plan, uint32_t i, uint32_t placed)
{
	uint64_t to = plan->vmas[i].start;
	uint64_t from = plan->kernel_vmas[placed].start;
	uint64_t length = plan->kernel_vmas[placed].length;
	long at = to;

	if (placed == plan->kernel_vma_count)
		at = -ENOENT;
	else if (from != to)
		at = raw_syscall(SYS_mremap, from, length, length,
				 MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (at != (long)to)
		give_up_vma(plan, i, TEXT("place"), error_of(at));
}

INLINE void map_parents_memory(struct restore_plan *plan)
{
	uint32_t count = plan->descriptor->vma_count;
	uint32_t placed = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (plan->vmas[i].kind == VMA_KERNEL)
			place_kernel_vma(plan, i, placed++);
		else
			map_vma(plan, i);
		advise(plan, i, DESCRIPTOR_VMA_HUGE, MADV_HUGEPAGE);
		advise(plan, i, DESCRIPTOR_VMA_NO_HUGE, MADV_NOHUGEPAGE);
		advise(plan, i, DESCRIPTOR_VMA_MERGEABLE, MADV_MERGEABLE);
	}
}

INLINE bool needs_uffd(const struct restore_plan *plan, uint32_t i)
{
	return plan->vmas[i].kind != VMA_KERNEL && plan->vmas[i].kind != VMA_EMPTY &&
	       plan->files[i] < 0;
}

/* Adjacent VMAs are registered at once. */
INLINE void register_pages(struct restore_plan *plan)
{
	uint32_t count = plan->descriptor->vma_count;
	uint32_t i = 0;

	while (i < count) {
		struct uffdio_register r;
		long err;

		if (!needs_uffd(plan, i)) {
			i++;
			continue;
		}
		r.range.start = plan->vmas[i].start;
		do {
			r.range.len = plan->vmas[i].end - r.range.start;
			i++;
		} while (i < count && needs_uffd(plan, i) &&
			 plan->vmas[i].start == plan->vmas[i - 1].end);
		r.mode = UFFDIO_REGISTER_MODE_MISSING;
		r.ioctls = 0;
		err = raw_syscall(SYS_ioctl, plan->uffd, UFFDIO_REGISTER, &r);
		if (err)
			give_up_vma(
				plan, i - 1,
				TEXT("register with a userfaultfd the memory up to"),
				err);
	}
}

INLINE void request_pages(struct restore_plan *plan)
{
	struct shadow_answer answer;
	int fds[3];
	long n;

	fds[0] = plan->uffd;
	fds[1] = plan->lifeline[1];
	fds[2] = plan->stderr_fd;
	n = raw_send_fds(plan->stream, &plan->page_request,
			 sizeof(plan->page_request), fds,
			 plan->stderr_fd < 0 ? 2 : 3);
	if (n != sizeof(plan->page_request))
		give_up(TEXT("ask the page server for pages"), n < 0 ? n : -EIO);
	if (!plan->eager)
		return;
	/* It comes in one piece. */
	do {
		n = raw_syscall(SYS_recvfrom, plan->stream, &answer, sizeof(answer),
				MSG_WAITALL, 0, 0);
	} while (n == -EINTR);
	if (n != sizeof(answer))
		give_up(TEXT("get pages: the page server has ended"),
			n < 0 ? n : -ECONNRESET);
	if (answer.status)
		give_up(TEXT("get all pages from the page server"), answer.status);
}

/*
 * From here on the child has only what it is given: see lib/child_files.h. The stream
 * and the server's end of the lifeline are among what is closed.
 */
INLINE void close_files(struct restore_plan *plan)
{
	uint32_t i;

	for (i = 0; i < plan->closed_file_range_count; i++) {
		const struct file_range *range = &plan->closed_files[i];
		uint32_t fd;

		/* A table that another process shares stays as it is. */
		if (!raw_syscall(SYS_close_range, range->first, range->last,
				 CLOSE_RANGE_UNSHARE))
			continue;
		/* Before Linux 5.9, or a seccomp filter that does not know the call. */
		for (fd = range->first; fd <= range->last && fd < CLOSED_ONE_BY_ONE;
		     fd++)
			raw_syscall(SYS_close, fd);
	}
}

/*
 * Makes the kernel kill this process when its page server ends: from then on missing
 * pages would read as zeros or never arrive. Comes before restore_process(), which
 * touches the first of them. Uses a pipe that carries no data and not the stream,
 * because a socket may signal for data that has already been read.
 */
INLINE void hold_lifeline(struct restore_plan *plan)
{
	int fd = plan->lifeline[0];
	char byte;
	long n = raw_syscall(SYS_fcntl, fd, F_SETFL, O_ASYNC | O_NONBLOCK);

	if (!n)
		n = raw_syscall(SYS_read, fd, &byte, 1);
	if (n != -EAGAIN)
		give_up(TEXT("watch its page server, which may have ended"),
			n < 0 ? n : -EPIPE);
}

/* descriptor_check() and the plan have checked the layout. */
INLINE void restore_xstate(const struct descriptor_header *d)
{
	const void *xstate = descriptor_xstate(d);

	if (xstate)
		__asm__ volatile("xrstor64 (%0)"
				 :
				 : "r"(xstate), "a"((uint32_t)d->xfeatures),
				   "d"((uint32_t)(d->xfeatures >> 32))
				 : "memory");
}

/* After all else that changes mappings. */
INLINE void seal_memory(struct restore_plan *plan)
{
	uint32_t count = plan->descriptor->vma_count, i;

	for (i = 0; i < count; i++)
		if (plan->vmas[i].flags & DESCRIPTOR_VMA_SEALED &&
		    raw_syscall(SYS_mseal, plan->vmas[i].start,
				plan->vmas[i].end - plan->vmas[i].start, 0))
			plan->lost |= RESTORE_LOST_SEALS;
}

INLINE void restore_process(struct restore_plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	uint32_t i;

	seal_memory(plan);
	if (plan->refuses_execution) {
		long err = raw_syscall(SYS_prctl, PR_SET_MDWE, d->state.execution, 0,
				       0, 0);

		if (err)
			give_up(TEXT("keep memory from becoming executable "
				     "(PR_SET_MDWE)"),
				err);
	}
	for (i = 0; i < plan->late_limit_count; i++)
		raw_syscall(SYS_prlimit64, 0, plan->late_limits[i].resource,
			    &plan->late_limits[i].limit, 0);
	for (i = 0; i < DESCRIPTOR_SIGNALS; i++)
		if (plan->signals >> i & 1)
			raw_syscall(SYS_rt_sigaction, i + 1, &d->signals[i], 0,
				    sizeof(d->signals[i].mask));
}

/* What the kernel and the C library keep of a thread in its memory. */
INLINE void claim_thread_memory(const struct descriptor_thread *t)
{
	long err;

	if (t->tid_address) {
		long tid = raw_syscall(SYS_set_tid_address, t->tid_address);

		*(volatile int32_t *)t->tid_address = tid;
	}
	if (t->robust_list)
		raw_syscall(SYS_set_robust_list, t->robust_list,
			    t->robust_list_size);
	if (t->rseq_address) {
		err = rseq_register(t);
		if (err)
			give_up(TEXT("register restartable sequences"), err);
	}
}

RESTORER void restorer_become_caller(struct restore_plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const struct descriptor_thread *t = &plan->thread;
	stack_t altstack;

	raw_syscall(SYS_prctl, PR_SET_NAME, d->name, 0, 0, 0);
	raw_syscall(SYS_arch_prctl, ARCH_SET_FS, t->fs_base);
	raw_syscall(SYS_arch_prctl, ARCH_SET_GS, t->gs_base);
	/* A replica holds a snapshot's memory as it is; its children do this: clone.c. */
	if (!plan->becomes_replica)
		claim_thread_memory(t);
	altstack.ss_sp = (void *)t->altstack_base;
	altstack.ss_flags = t->altstack_flags;
	altstack.ss_size = t->altstack_size;
	raw_syscall(SYS_sigaltstack, &altstack, 0);
	restore_xstate(d);
}

RESTORER void restorer_unmap_rest(struct restore_plan *plan)
{
	raw_syscall(SYS_munmap, plan->restorer + RESTORER_KEPT_SIZE,
		    plan->restorer_size - RESTORER_KEPT_SIZE);
}

RESTORER void restorer_go_on(struct restore_plan *plan)
{
	thread_go_on(&plan->thread);
}

/*
 * Goes on with the snapshot's code, on a stack beside its memory. The descriptor goes there,
 * too: what is left of the restorer area tells the replica's children that they are such.
 */
INLINE void __attribute__((noreturn)) become_replica(struct restore_plan *plan)
{
	uint64_t rest = plan->restorer + RESTORER_KEPT_SIZE;
	uint64_t end =
		plan->park ? plan->park : plan->restorer + plan->restorer_size;
	uint64_t size = end - rest;
	long at = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_REPLICA),
			      REPLICA_STACK_SIZE + size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long descriptor, err;

	if (at < 0 && at > -4096)
		give_up(TEXT("map a stack for a replica"), at);
	descriptor = at + REPLICA_STACK_SIZE;
	err = raw_syscall(SYS_mremap, rest, size, size,
			  MREMAP_MAYMOVE | MREMAP_FIXED, descriptor);
	if (err != descriptor)
		give_up(TEXT("move the descriptor for a replica"), error_of(err));
	raw_syscall(SYS_mprotect, descriptor, size, PROT_READ);
	restorer_unmap_rest(plan);
	plan->replica.descriptor = (void *)descriptor;
	plan->replica.told = &plan->told;
	__asm__ volatile("mov %[stack], %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%[entry]\n\t"
			 "hlt"
			 :
			 : [stack] "r"(descriptor),
			   [entry] "r"(plan->replica.descriptor->replica_entry),
			   "D"(&plan->replica)
			 : "memory");
	__builtin_unreachable();
}

/* All memory but the restorer area, and the end of restartable sequences. */
INLINE void take_memory_of_module(struct restore_plan *plan)
{
	struct mitosis_kept_memory kept;
	long err;

	kept.start = plan->restorer;
	kept.end = plan->restorer + plan->restorer_size;
	err = raw_syscall(SYS_ioctl, plan->opened, MITOSIS_IOC_BECOME, &kept);
	if (err)
		give_up(TEXT("get its memory from the kernel module"), err);
}

INLINE void take_memory_of_page_server(struct restore_plan *plan)
{
	hide_arguments(plan);
	forget_own_memory(plan);
	map_parents_memory(plan);
	register_pages(plan);
	request_pages(plan);
}

RESTORER void restore(struct restore_plan *plan)
{
	if (plan->opened >= 0)
		take_memory_of_module(plan);
	else
		take_memory_of_page_server(plan);
	note_time(&plan->times.mapped_ns);
	set_whole_layout(plan);
	close_files(plan);
	if (plan->opened < 0)
		hold_lifeline(plan);
	restore_process(plan);
	if (plan->has_threads)
		restorer_go_on_with_threads(plan);
	note_time(&plan->times.go_ns);
	restorer_become_caller(plan);
	if (plan->becomes_replica)
		become_replica(plan);
	restorer_unmap_rest(plan);
	restorer_go_on(plan);
}
