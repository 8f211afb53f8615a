// SPDX-License-Identifier: GPL-2.0
#include "resume.h"

#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "child_memory.h"
#include "describe.h"
#include "eager.h"
#include "files.h"
#include "overlay.h"
#include "owner.h"
#include "parameters.h"
#include "proto/descriptor.h"
#include "remote.h"
#include "snapshot.h"
#include "stats.h"
#include "symbols.h"
#include "thread.h"
#include "trace.h"
#include "vma_kinds.h"

#define KERNEL_VMAS_MAX 8 /* vvar, vdso and future ones */
/* Temporary places of the kernel's VMAs: below programs, libraries and stacks. */
#define PARK_FIRST 0x10000000ul
#define PARK_STEP  0x10000000ul
#define PARKS	   16

/* How long another reference to the mm, such as a reader of /proc, is waited for. */
#define ALONE_TRIES   100
#define ALONE_STEP_US 200

/*
 * Of children, from a number on that no child of an earlier load has: of fewer than
 * 1 << NUMBERS_PER_S_SHIFT in each second.
 */
#define NUMBERS_PER_S_SHIFT 20
static atomic64_t last_number;

struct span {
	unsigned long start, end;
};

struct plan {
	const struct descriptor_header *descriptor;
	struct snapshot *snapshot; /* of this machine, or NULL */
	struct remote *remote;	   /* of another one, or NULL */
	struct file **files;	   /* per VMA of the descriptor: the file to map, or NULL */
	bool files_opened;	   /* by this resume, which must close them */
	struct file *map;
	struct span kept;     /* of the caller's memory; empty: none */
	u32 kernel_vma_count; /* of `own` and of `theirs` */
	struct span own[KERNEL_VMAS_MAX], theirs[KERNEL_VMAS_MAX];
};

void mitosis_resume_init(void)
{
	atomic64_set(&last_number, ktime_get_real_seconds() << NUMBERS_PER_S_SHIFT);
}

struct mitosis_told mitosis_resume_count(void)
{
	return (struct mitosis_told){
		.number = atomic64_inc_return(&last_number),
		.machine_id = mitosis_machine_id,
	};
}

static bool overlaps(const struct span *a, const struct span *b)
{
	return a->start < b->end && b->start < a->end;
}

/* Whether the caller goes on in its own code, which makes the threads of the child. */
static bool keeps_memory(const struct plan *plan)
{
	return plan->kept.end;
}

/* The caller must have one thread and share memory and open files with no process. */
static int check_caller(void)
{
	int i;

	if (!thread_group_empty(current) || current->vfork_done || !mitosis_files_are_own())
		return -EINVAL;
	for (i = 0; atomic_read(&current->mm->mm_users) > 1; i++) {
		if (i == ALONE_TRIES)
			return -EINVAL;
		usleep_range(ALONE_STEP_US, 2 * ALONE_STEP_US);
	}
	return mitosis_thread_check_caller();
}

/* The caller's vdso and vvar must equal the parent's, except for their addresses. */
static int plan_kernel_vmas(struct plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);
	u32 own = 0, theirs = 0, i;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		if (mitosis_vma_is_kernel(vma) && own < KERNEL_VMAS_MAX)
			plan->own[own++] = (struct span){ vma->vm_start, vma->vm_end };
	mmap_read_unlock(mm);
	for (i = 0; i < d->vma_count; i++)
		if (vmas[i].kind == VMA_KERNEL && theirs < KERNEL_VMAS_MAX)
			plan->theirs[theirs++] = (struct span){ vmas[i].start, vmas[i].end };
	plan->kernel_vma_count = own;
	if (own != theirs || d->vdso_hash != mitosis_describe_vdso(mm))
		return -EPROTO;
	for (i = 0; i < own; i++)
		if (plan->own[i].end - plan->own[i].start !=
		    plan->theirs[i].end - plan->theirs[i].start)
			return -EPROTO;
	return 0;
}

/* Else mmap refuses it, after the caller's memory has gone. path_noexec() is not exported. */
static bool may_be_mapped(const struct file *file, const struct descriptor_vma *vma)
{
	return !(vma->protection & PROT_EXEC) || !(file->f_path.mnt->mnt_flags & MNT_NOEXEC ||
						   file_inode(file)->i_sb->s_iflags & SB_I_NOEXEC);
}

/* Of an ELF file whose build-id the parent's machine knows. */
static bool is_same_build(const struct descriptor_header *d, const struct descriptor_vma *vma,
			  struct file *file)
{
	const char *parents = descriptor_string(d, vma->build_id);
	char text[BUILD_ID_TEXT];

	if (!*parents)
		return true;
	mitosis_file_build_id(file, text);
	return !strcmp(text, parents);
}

/*
 * Opens what a path leads to without what /proc has of open files, by which a parent could name
 * those of its child's caller, and only a regular file. Returns NULL if it is no such path.
 */
static struct file *open_path(const char *name, int flags)
{
	struct file *file = NULL;
	struct path path;

	if (kern_path(name, LOOKUP_FOLLOW | LOOKUP_NO_MAGICLINKS, &path))
		return NULL;
	/* By its name it could be another one by now. */
	if (S_ISREG(d_inode(path.dentry)->i_mode))
		file = file_open_root(&path, "", flags, 0);
	path_put(&path);
	return IS_ERR(file) ? NULL : file;
}

/*
 * Opens the file of a VMA. Returns NULL if that fails or
 * it is not the file that the parent mapped: then the pages come from the snapshot.
 */
static struct file *open_file(const struct descriptor_header *d, const struct descriptor_vma *vma)
{
	const char *path = descriptor_string(d, vma->name);
	const bool writes = vma->protection & PROT_WRITE;
	const bool may_write = writes || vma->flags & DESCRIPTOR_VMA_MAY_WRITE;
	/* No wait for who has a lease on it. */
	const int flags = O_NONBLOCK | O_LARGEFILE;
	struct file *file = open_path(
		path, (vma->map_flags & MAP_SHARED && may_write ? O_RDWR : O_RDONLY) | flags);
	const struct inode *inode;

	/* What could only become writable is worth having without that, too. */
	if (!file && may_write && !writes)
		file = open_path(path, O_RDONLY | flags);
	if (!file)
		return NULL;
	inode = file_inode(file);
	if (inode->i_ino == vma->inode && MAJOR(inode->i_sb->s_dev) == vma->device_major &&
	    MINOR(inode->i_sb->s_dev) == vma->device_minor &&
	    descriptor_same_version(vma, mitosis_file_version(inode)) && may_be_mapped(file, vma) &&
	    is_same_build(d, vma, file))
		return file;
	fput(file);
	return NULL;
}

/* The files that the parent has mapped, of a snapshot of this machine. */
static int check_files(const struct plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	u32 i;

	for (i = 0; i < d->vma_count; i++)
		if (plan->files[i] && !may_be_mapped(plan->files[i], &vmas[i])) {
			pr_warn_ratelimited("%s[%d]: %s is mounted noexec since prepare\n",
					    current->comm, task_pid_nr(current),
					    descriptor_string(d, vmas[i].name));
			return -ENOEXEC;
		}
	return 0;
}

int mitosis_resume_check_files(const struct origin *origin)
{
	const struct snapshot *s = origin->snapshot;
	const struct plan plan = {
		.descriptor = mitosis_origin_descriptor(origin),
		.files = s ? s->description.files : NULL,
	};

	return s ? check_files(&plan) : 0;
}

/* Of this machine, the files that the parent has mapped; else room for those that will be opened. */
static int plan_files(struct plan *plan, const struct origin *origin)
{
	const struct descriptor_header *d = plan->descriptor;

	if (origin->snapshot) {
		plan->files = origin->snapshot->description.files;
		return check_files(plan);
	}
	plan->files = kvcalloc(d->vma_count + 1, sizeof(*plan->files), GFP_KERNEL);
	if (!plan->files)
		return -ENOMEM;
	plan->files_opened = true;
	return 0;
}

/* The files of another machine's snapshot, with a child's rights: they could be another user's. */
static void open_files(const struct plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	u32 i;

	for (i = 0; plan->files_opened && i < d->vma_count; i++)
		if (vmas[i].kind == VMA_FILE)
			plan->files[i] = open_file(d, &vmas[i]);
}

static void plan_destroy(struct plan *plan)
{
	u32 i;

	for (i = 0; plan->files_opened && i < plan->descriptor->vma_count; i++)
		if (plan->files[i])
			fput(plan->files[i]);
	if (plan->files_opened)
		kvfree(plan->files);
}

/*
 * Whether a range has memory of a snapshot that the caller is a child of. The address space would
 * then have two overlays, and no depth that limits how faults nest.
 */
static bool has_childs_memory(const struct span *range)
{
	struct mm_struct *mm = current->mm;
	VMA_ITERATOR(vmi, mm, range->start);
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(mm);
	for_each_vma_range(vmi, vma, range->end) found |= mitosis_overlay_owns(vma);
	mmap_read_unlock(mm);
	return found;
}

/* What is kept must be in the way of nothing, nor of the page below a stack. */
static int check_kept(const struct plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	const struct span *kept = &plan->kept;
	u32 i;

	if (!PAGE_ALIGNED(kept->start) || !PAGE_ALIGNED(kept->end) || kept->start >= kept->end ||
	    kept->end > USER_MEMORY_END || has_childs_memory(kept))
		return -EINVAL;
	for (i = 0; i < plan->kernel_vma_count; i++)
		if (overlaps(kept, &plan->own[i]))
			return -EINVAL;
	for (i = 0; i < d->vma_count; i++)
		if (overlaps(kept, &(struct span){ vmas[i].start - PAGE_SIZE, vmas[i].end }))
			return -EINVAL;
	return 0;
}

static int make_plan(struct plan *plan, const struct origin *origin,
		     const struct mitosis_kept_memory *kept)
{
	const struct descriptor_header *d = mitosis_origin_descriptor(origin);
	int err;

	*plan = (struct plan){
		.descriptor = d,
		.snapshot = origin->snapshot,
		.remote = origin->remote,
	};
	if (kept)
		plan->kept = (struct span){ kept->start, kept->end };
	/* A child would run without it. */
	if (d->flags & DESCRIPTOR_SECCOMP)
		return -EOPNOTSUPP;
	if (d->flags & DESCRIPTOR_THREADS_MISSING || (!kept && descriptor_has_threads(d)))
		return -EINVAL;
	if (d->vma_count > CHILD_VMAS_MAX)
		return -E2BIG;
	err = mitosis_thread_check(d);
	if (!err)
		err = plan_kernel_vmas(plan);
	if (err)
		pr_warn_ratelimited(
			"%s[%d]: snapshot %u of machine %u needs another CPU or kernel\n",
			current->comm, task_pid_nr(current), origin->handler_id,
			origin->machine_id);
	if (!err && kept)
		err = check_kept(plan);
	return err ?: plan_files(plan, origin);
}

/* All but the kernel's VMAs, which ascend, and what is kept, which lies among them. */
static int unmap_all(const struct plan *plan)
{
	struct span left[KERNEL_VMAS_MAX + 1];
	unsigned long at = 0;
	u32 count = 0, i;
	bool listed = !keeps_memory(plan);

	for (i = 0; i < plan->kernel_vma_count; i++) {
		if (!listed && plan->kept.start < plan->own[i].start) {
			left[count++] = plan->kept;
			listed = true;
		}
		left[count++] = plan->own[i];
	}
	if (!listed)
		left[count++] = plan->kept;
	for (i = 0; i <= count; i++) {
		unsigned long end = i < count ? left[i].start : TASK_SIZE_MAX;
		int err = end > at ? vm_munmap(at, end - at) : 0;

		if (err)
			return err;
		at = i < count ? left[i].end : end;
	}
	return 0;
}

static int move_span(struct span *span, unsigned long to)
{
	unsigned long length = span->end - span->start;
	long result;

	if (span->start == to)
		return 0;
	result = mitosis_mremap(span->start, length, to);
	if (result != (long)to)
		return result < 0 ? result : -EFAULT;
	*span = (struct span){ to, to + length };
	return 0;
}

/* Moves the caller's kernel VMAs aside if they overlap each other's targets. */
static int park(struct plan *plan)
{
	const u32 count = plan->kernel_vma_count;
	bool in_the_way = false;
	unsigned long size = 0, at;
	u32 i, k, p;
	int err;

	for (i = 0; i < count; i++) {
		size += plan->own[i].end - plan->own[i].start;
		for (k = 0; k < count; k++)
			if (overlaps(&plan->own[i], &plan->theirs[k]) &&
			    (i != k || plan->own[i].start != plan->theirs[k].start))
				in_the_way = true;
	}
	if (!in_the_way)
		return 0;
	for (p = 0; p < PARKS; p++) {
		struct span place = { PARK_FIRST + p * PARK_STEP };
		bool is_free;

		place.end = place.start + size;
		is_free = !overlaps(&place, &plan->kept);
		for (i = 0; i < count; i++)
			if (overlaps(&place, &plan->own[i]) || overlaps(&place, &plan->theirs[i]))
				is_free = false;
		if (!is_free)
			continue;
		for (at = place.start, i = 0; i < count; i++) {
			err = move_span(&plan->own[i], at);
			if (err)
				return err;
			at = plan->own[i].end;
		}
		return 0;
	}
	return -ENOMEM;
}

static int place_kernel_vmas(struct plan *plan)
{
	int err = park(plan);
	u32 i;

	for (i = 0; !err && i < plan->kernel_vma_count; i++)
		err = move_span(&plan->own[i], plan->theirs[i].start);
	return err;
}

static void set_layout(const struct descriptor_layout *l)
{
	struct mm_struct *mm = current->mm;

	mmap_write_lock(mm);
	spin_lock(&mm->arg_lock);
	mm->start_code = l->start_code;
	mm->end_code = l->end_code;
	mm->start_data = l->start_data;
	mm->end_data = l->end_data;
	mm->start_brk = l->start_brk;
	mm->brk = l->brk;
	mm->start_stack = l->start_stack;
	mm->arg_start = l->arg_start;
	mm->arg_end = l->arg_end;
	mm->env_start = l->env_start;
	mm->env_end = l->env_end;
	spin_unlock(&mm->arg_lock);
	mmap_write_unlock(mm);
}

static int become(struct plan *plan, const struct mitosis_options *options)
{
	int err = mitosis_owner_confine(plan->descriptor);

	if (!err) {
		open_files(plan);
		err = mitosis_thread_detach();
	}
	if (!err)
		err = unmap_all(plan);
	if (!err)
		err = place_kernel_vmas(plan);
	if (!err)
		err = mitosis_child_map_memory(plan->descriptor, plan->files, plan->map);
	if (err)
		return err;
	set_layout(&plan->descriptor->layout);
	if (options->flags & MITOSIS_OPTION_EAGER)
		err = mitosis_eager_fetch(plan->descriptor, plan->files, plan->snapshot,
					  plan->remote);
	if (!err && !keeps_memory(plan))
		err = mitosis_thread_load(plan->descriptor, mitosis_resume_count());
	if (!err && !keeps_memory(plan))
		mitosis_files_close_on_exec();
	return err;
}

int mitosis_resume(struct origin *origin, const struct mitosis_options *options,
		   const struct mitosis_kept_memory *kept)
{
	const u32 machine_id = origin->machine_id, handler_id = origin->handler_id;
	u64 started = mitosis_trace_start(trace_mitosis_resume_enabled());
	struct plan plan;
	int err;

	err = check_caller();
	if (!err)
		err = make_plan(&plan, origin, kept);
	if (err) {
		mitosis_origin_put(origin);
		goto out;
	}
	plan.map = mitosis_child_create(origin, options);
	if (IS_ERR(plan.map)) {
		err = PTR_ERR(plan.map);
		plan_destroy(&plan);
		mitosis_origin_put(origin);
		goto out;
	}
	err = mitosis_child_start(plan.map);
	if (err)
		goto out_map;
	err = become(&plan, options);
	mitosis_child_started(plan.map);
	if (err) {
		if (!fatal_signal_pending(current))
			pr_err_ratelimited(
				"%s[%d]: snapshot %u of machine %u cannot be resumed: error %d\n",
				current->comm, task_pid_nr(current), handler_id, machine_id, err);
		send_sig(SIGKILL, current, 1);
	}
	if (started)
		trace_mitosis_resume(machine_id, handler_id, plan.descriptor->vma_count, err,
				     ktime_get_ns() - started);
out_map:
	plan_destroy(&plan);
	/* From here on the child's VMAs hold the map file. */
	fput(plan.map);
out:
	if (err)
		mitosis_count(resume_failures);
	else
		mitosis_count(resumes);
	return err;
}
