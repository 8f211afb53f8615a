// SPDX-License-Identifier: GPL-2.0
#include "describe.h"

#include <asm/vdso.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "overlay.h"
#include "process_state.h"
#include "symbols.h"
#include "uapi/mitosis.h"
#include "vma_kinds.h"

struct text {
	char *bytes;
	u32 size, capacity;
	u32 last; /* offset of the last string */
};

struct writer {
	struct descriptor_vma *vmas;
	struct file **files;
	u32 count, capacity;
	struct text strings;
	const struct path *root;
	char *path;	    /* PATH_MAX bytes */
	struct file *named; /* the file whose path is in `path` */
	const char *name;   /* that path: a place in `path`, or "" */
};

static int text_add(struct text *text, const char *string, u32 *at)
{
	u32 size = strlen(string) + 1;

	if (!*string) {
		*at = DESCRIPTOR_NO_STRING;
		return 0;
	}
	if (text->size && !strcmp(text->bytes + text->last, string)) {
		*at = text->last;
		return 0;
	}
	if (text->size + size > text->capacity) {
		u32 capacity = max(2 * text->capacity, text->size + size + PATH_MAX);
		char *bytes = kvmalloc(capacity, GFP_KERNEL_ACCOUNT);

		if (!bytes)
			return -ENOMEM;
		if (text->size)
			memcpy(bytes, text->bytes, text->size);
		kvfree(text->bytes);
		text->bytes = bytes;
		text->capacity = capacity;
	}
	memcpy(text->bytes + text->size, string, size);
	*at = text->last = text->size;
	text->size += size;
	return 0;
}

static enum descriptor_vma_kind kind_of(struct vm_area_struct *vma)
{
	if (mitosis_vma_is_kernel(vma))
		return VMA_KERNEL;
	if (mitosis_overlay_owns(vma) || is_vm_hugetlb_page(vma))
		return VMA_SNAPSHOT;
	if (vma_is_anonymous(vma))
		return vma->anon_vma ? VMA_SNAPSHOT : VMA_EMPTY;
	if (vma->vm_file && mitosis_file_is_mappable(vma->vm_file) &&
	    (vma->vm_flags & VM_SHARED || !vma->anon_vma))
		return VMA_FILE;
	return VMA_SNAPSHOT;
}

static const char *name_of(struct writer *w, struct vm_area_struct *vma,
			   enum descriptor_vma_kind kind)
{
	const char *name;

	if (kind == VMA_KERNEL)
		return mitosis_vma_special_name(vma);
	if (vma->vm_start <= vma->vm_mm->start_stack && vma->vm_end > vma->vm_mm->start_stack)
		return "[stack]";
	if (!vma->vm_file || mitosis_overlay_owns(vma))
		return "";
	/* As /proc/PID/maps has it. */
	if (mitosis_vma_is_object(vma)) {
		w->named = NULL;
		snprintf(w->path, PATH_MAX, "/%pD (deleted)", vma->vm_file);
		return w->path;
	}
	/* Consecutive VMAs of a library have the same file: keep its path. */
	if (w->named != vma->vm_file) {
		name = mitosis_d_path(&vma->vm_file->f_path, w->root, w->path, PATH_MAX);
		w->name = IS_ERR_OR_NULL(name) ? "" : name;
		w->named = vma->vm_file;
	}
	return w->name;
}

u64 mitosis_file_version(const struct inode *inode)
{
	const struct timespec64 mtime = compat_inode_mtime(inode);
	const struct timespec64 ctime = compat_inode_ctime(inode);
	const struct descriptor_time written = { mtime.tv_sec, mtime.tv_nsec };
	const struct descriptor_time changed = { ctime.tv_sec, ctime.tv_nsec };

	return descriptor_file_version(i_size_read(inode), written, changed);
}

void mitosis_file_build_id(struct file *file, char text[BUILD_ID_TEXT])
{
	void *window = kmalloc(BUILD_ID_WINDOW, GFP_KERNEL);
	loff_t at = 0;
	ssize_t n = window ? kernel_read(file, window, BUILD_ID_WINDOW, &at) : -ENOMEM;

	build_id_find(window, n > 0 ? n : 0, text);
	kfree(window);
}

/* Without the mmap_lock, which is taken by some file systems' reads. VMAs of a file are adjacent. */
static int add_build_ids(struct writer *w)
{
	const struct file *last = NULL;
	u32 string = DESCRIPTOR_NO_STRING, i;
	char text[BUILD_ID_TEXT];
	int err;

	for (i = 0; i < w->count; i++) {
		struct file *file = w->files[i];

		if (!file || w->vmas[i].map_flags & MAP_SHARED)
			continue;
		if (file != last) {
			mitosis_file_build_id(file, text);
			err = text_add(&w->strings, text, &string);
			if (err)
				return err;
			last = file;
		}
		w->vmas[i].build_id = string;
	}
	return 0;
}

static u16 flags_of(const struct vm_area_struct *vma, enum descriptor_vma_kind kind)
{
	const unsigned long flags = vma->vm_flags;
	u16 out = 0;

	/* The vdso's are the kernel's own affair. */
	if (kind == VMA_KERNEL)
		return 0;
	if (kind == VMA_EMPTY && flags & VM_WIPEONFORK)
		out |= DESCRIPTOR_VMA_WIPE;
	if (flags & VM_DONTDUMP)
		out |= DESCRIPTOR_VMA_NO_DUMP;
	if (flags & VM_HUGEPAGE)
		out |= DESCRIPTOR_VMA_HUGE;
	if (flags & VM_NOHUGEPAGE)
		out |= DESCRIPTOR_VMA_NO_HUGE;
	if (flags & VM_MERGEABLE)
		out |= DESCRIPTOR_VMA_MERGEABLE;
	if (flags & VM_MAYSHARE && flags & VM_MAYWRITE)
		out |= DESCRIPTOR_VMA_MAY_WRITE;
#ifdef VM_SEALED
	if (flags & VM_SEALED)
		out |= DESCRIPTOR_VMA_SEALED;
#endif
#ifdef VM_DROPPABLE
	if (flags & VM_DROPPABLE)
		out |= DESCRIPTOR_VMA_DROPPABLE;
#endif
	return out;
}

static int add_vma(struct writer *w, struct vm_area_struct *vma)
{
	enum descriptor_vma_kind kind = kind_of(vma);
	struct descriptor_vma *out;
	const char *name;

	/* Device memory cannot be copied: children do not have it. */
	if (kind != VMA_KERNEL && vma->vm_flags & (VM_IO | VM_PFNMAP))
		return 0;
	if (vma->vm_end > USER_MEMORY_END)
		return 0;
	if (w->count == w->capacity)
		return -E2BIG;
	name = name_of(w, vma, kind);
	if (kind == VMA_FILE && *name != '/')
		kind = VMA_SNAPSHOT;
	out = &w->vmas[w->count];
	*out = (struct descriptor_vma){
		.start = vma->vm_start,
		.end = vma->vm_end,
		.protection = (vma->vm_flags & VM_READ ? PROT_READ : 0) |
			      (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
			      (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0),
		.map_flags = (vma->vm_flags & VM_MAYSHARE ? MAP_SHARED : MAP_PRIVATE) |
			     (vma->vm_flags & VM_GROWSDOWN ? MAP_GROWSDOWN | MAP_STACK : 0),
		.kind = kind,
		.build_id = DESCRIPTOR_NO_STRING,
		.digest = DESCRIPTOR_NO_STRING,
		.flags = flags_of(vma, kind),
	};
	if (kind == VMA_FILE || mitosis_vma_is_object(vma)) {
		const struct inode *inode = file_inode(vma->vm_file);

		out->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
		out->inode = inode->i_ino;
		out->device_major = MAJOR(inode->i_sb->s_dev);
		out->device_minor = MINOR(inode->i_sb->s_dev);
		out->file_version =
			kind == VMA_FILE ? mitosis_file_version(inode) : i_size_read(inode);
	}
	if (kind == VMA_FILE)
		w->files[w->count] = get_file(vma->vm_file);
	w->count++;
	return text_add(&w->strings, name, &out->name);
}

static int add_vmas(struct writer *w, struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);
	int err;

	mmap_read_lock(mm);
	w->capacity = mm->map_count + 1;
	w->vmas = kvcalloc(w->capacity, sizeof(*w->vmas), GFP_KERNEL_ACCOUNT);
	w->files = kvcalloc(w->capacity, sizeof(*w->files), GFP_KERNEL_ACCOUNT);
	w->path = kmalloc(PATH_MAX, GFP_KERNEL);
	err = w->vmas && w->files && w->path ? 0 : -ENOMEM;
	if (!err)
		for_each_vma(vmi, vma) {
			err = add_vma(w, vma);
			if (err)
				break;
		}
	mmap_read_unlock(mm);
	return err ?: add_build_ids(w);
}

static struct descriptor_layout layout_of(const struct mm_struct *mm)
{
	return (struct descriptor_layout){
		.start_code = mm->start_code,
		.end_code = mm->end_code,
		.start_data = mm->start_data,
		.end_data = mm->end_data,
		.start_brk = mm->start_brk,
		.brk = mm->brk,
		.start_stack = mm->start_stack,
		.arg_start = mm->arg_start,
		.arg_end = mm->arg_end,
		.env_start = mm->env_start,
		.env_end = mm->env_end,
	};
}

u64 mitosis_describe_vdso(const struct mm_struct *mm)
{
	/* The image in memory, with this CPU's alternatives patched in. */
	const struct vdso_image *image = mm->context.vdso_image;
	static u64 hash; /* of vdso_image_64, the only image of 64-bit processes */

	if (!mm->context.vdso || !image)
		return 0;
	if (!READ_ONCE(hash))
		WRITE_ONCE(hash, descriptor_hash(image->data, image->size));
	return READ_ONCE(hash);
}

/* A string's place once those of the VMAs stand before it. */
static u32 moved(u32 string, bool known, const struct writer *w)
{
	return known && string != DESCRIPTOR_NO_STRING ? string + w->strings.size
						       : DESCRIPTOR_NO_STRING;
}

/* What only the process itself can tell; see MITOSIS_IOC_PREPARE_DESCRIBED. */
static void take_header(struct descriptor_header *d, const struct descriptor_header *told,
			const struct writer *w)
{
	d->flags |= told->flags & (DESCRIPTOR_LEADER_ENDED | DESCRIPTOR_TOLD);
	d->thread_count = told->thread_count;
	d->fd_count = told->fd_count;
	d->data_size = told->data_size;
	d->process = told->process;
	d->boot = told->boot;
	d->monotonic_ns = told->monotonic_ns;
	d->boottime_ns = told->boottime_ns;
	d->state = told->state;
	d->state.working_directory = moved(told->state.working_directory,
					   told->state.known & PROCESS_WORKING_DIRECTORY, w);
	d->state.program = moved(told->state.program, told->state.known & PROCESS_PROGRAM, w);
}

static void *put(void *at, const void *bytes, u64 size)
{
	if (size)
		memcpy(at, bytes, size);
	return at + size;
}

static void *put_fds(void *at, const struct descriptor_header *told, const struct writer *w)
{
	const struct descriptor_fd *fds = descriptor_fds(told);
	struct descriptor_fd *out = at;
	u32 i;

	for (i = 0; i < told->fd_count; i++) {
		out[i] = fds[i];
		out[i].path = moved(fds[i].path, true, w);
	}
	return out + told->fd_count;
}

/* Returns the descriptor or an error pointer. */
static struct descriptor_header *assemble(const struct parent *parent, const struct mm_struct *mm,
					  const struct writer *w)
{
	const struct thread_state *t = &parent->thread;
	const struct descriptor_header *told = parent->told;
	const u64 others_size =
		told ? (told->thread_count - 1) * sizeof(struct descriptor_stopped_thread) : 0;
	const u64 vmas_size = w->count * sizeof(*w->vmas);
	const u64 fds_size = told ? told->fd_count * sizeof(struct descriptor_fd) : 0;
	const u64 told_strings = told ? told->strings_size : 0;
	const u64 data_size = told ? told->data_size : 0;
	struct descriptor_header *d;
	u64 before = sizeof(*d) + sizeof(t->registers) + others_size + vmas_size + fds_size +
		     w->strings.size + told_strings + data_size;
	u64 padding = -before & (XSTATE_ALIGNMENT - 1);
	u64 size = before + padding + t->xstate_size;
	void *at;

	if (size > INT_MAX)
		return ERR_PTR(-E2BIG);
	d = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!d)
		return ERR_PTR(-ENOMEM);
	*d = (struct descriptor_header){
		.magic = DESCRIPTOR_MAGIC,
		.version = DESCRIPTOR_VERSION,
		.header_size = sizeof(*d),
		.total_size = size,
		.flags = mitosis_owner_flags(&parent->owner) |
			 (parent->threads_missing ? DESCRIPTOR_THREADS_MISSING : 0),
		.thread_count = 1,
		.vma_count = w->count,
		.strings_size = w->strings.size + told_strings + padding,
		.owner_pid = parent->pid,
		.owner_uid = from_kuid(&init_user_ns, parent->owner.cred->euid),
		.xstate_size = t->xstate_size,
		.xfeatures = t->xfeatures,
		.page_size = PAGE_SIZE,
		.vdso_hash = mitosis_describe_vdso(mm),
		.layout = layout_of(mm),
		.credentials = mitosis_owner_credentials(&parent->owner),
	};
	mitosis_thread_cpu_features(d->cpu_features);
	memcpy(d->name, t->name, sizeof(d->name));
	memcpy(d->signals, t->signals, sizeof(d->signals));
	if (told)
		take_header(d, told, w);
	at = put(d + 1, &t->registers, sizeof(t->registers));
	if (told)
		at = put(at, descriptor_stopped_threads(told), others_size);
	at = put(at, w->vmas, vmas_size);
	if (told)
		at = put_fds(at, told, w);
	at = put(at, w->strings.bytes, w->strings.size);
	if (told)
		at = put(at, descriptor_fds(told) + told->fd_count, told_strings);
	at += padding;
	if (told)
		at = put(at, (void *)told + told->total_size - data_size, data_size);
	put(at, t->xstate, t->xstate_size);
	return d;
}

struct descriptor_header *mitosis_describe_read(const void __user *description, u64 size)
{
	struct descriptor_header *told;
	int err;

	if (size < sizeof(*told))
		return ERR_PTR(-EINVAL);
	if (size > MITOSIS_DESCRIPTION_SIZE_MAX)
		return ERR_PTR(-E2BIG);
	told = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!told)
		return ERR_PTR(-ENOMEM);
	err = copy_from_user(told, description, size) ? -EFAULT : 0;
	if (!err && descriptor_check_description(told, size, PAGE_SIZE))
		err = -EINVAL;
	if (!err) {
		mitosis_process_state_add(&told->state);
		return told;
	}
	kvfree(told);
	return ERR_PTR(err);
}

static void put_files(struct file **files, u32 count)
{
	while (count--)
		if (files[count])
			fput(files[count]);
	kvfree(files);
}

int mitosis_describe(const struct parent *parent, struct mm_struct *shadow,
		     struct description *description)
{
	struct writer w = { .root = &parent->root };
	struct descriptor_header *d = NULL;
	int err = add_vmas(&w, shadow);

	if (!err) {
		d = assemble(parent, shadow, &w);
		err = PTR_ERR_OR_ZERO(d);
	}
	/* As received ones: a thread's registers and addresses may be any. */
	if (!err && descriptor_check(d, d->total_size, PAGE_SIZE)) {
		kvfree(d);
		err = -EBADMSG;
	}
	if (err)
		put_files(w.files, w.files ? w.count : 0);
	else
		*description = (struct description){ d, w.files };
	kvfree(w.vmas);
	kvfree(w.strings.bytes);
	kfree(w.path);
	return err;
}

void mitosis_description_destroy(struct description *description)
{
	if (description->descriptor)
		put_files(description->files, description->descriptor->vma_count);
	kvfree(description->descriptor);
}
