// SPDX-License-Identifier: Apache-2.0
#include "lib/describe_vmas.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "lib/clone_area.h"
#include "lib/cursor.h"
#include "lib/file_contents.h"
#include "lib/mapped_file.h"
#include "lib/pagemap.h"
#include "lib/restore.h"
#include "lib/shadow_process.h"
#include "lib/shared_copies.h"
#include "lib/shared_memory.h"
#include "lib/vma_flags.h"
#include "paging/raw_syscall.h"

#define READ_WINDOW (16u << 10)

static size_t length_of(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

int measure_maps(struct maps_size *size)
{
	char window[READ_WINDOW], last = 0;
	long fd = raw_open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	long i, n;

	if (fd < 0)
		return fd;
	while ((n = raw_syscall(SYS_read, fd, window, sizeof(window))) > 0) {
		size->bytes += n;
		for (i = 0; i < n; i++) {
			size->lines += window[i] == '\n';
			size->paths += window[i] == '/' && last == ' ';
			last = window[i];
		}
	}
	raw_syscall(SYS_close, fd);
	return n;
}

static uint32_t append_string(struct vma_writer *w, const char *text)
{
	size_t size, i;
	uint32_t at = w->strings_size;

	if (!*text)
		return DESCRIPTOR_NO_STRING;
	size = length_of(text) + 1;
	for (i = 0; i < size; i++)
		w->strings[at + i] = text[i];
	w->strings_size += size;
	return at;
}

/* Consecutive VMAs often have one name. */
uint32_t vma_writer_add_string(struct vma_writer *w, const char *name)
{
	if (!*name)
		return DESCRIPTOR_NO_STRING;
	if (!w->strings_size || !is_text(w->strings + w->last_string, name))
		w->last_string = append_string(w, name);
	return w->last_string;
}

static bool ends_deleted(const char *name)
{
	static const char suffix[] = " (deleted)";
	size_t n = length_of(name);

	return n >= sizeof(suffix) - 1 &&
	       is_text(name + n - (sizeof(suffix) - 1), suffix);
}

static enum descriptor_vma_kind kind_of(const struct vma_writer *w,
					const struct descriptor_vma *vma,
					const char *name)
{
	bool mappable = name[0] == '/' && vma->inode &&
			(!ends_deleted(name) || mapped_file_has_name(vma, name));

	if (starts_with(name, "[vdso]") || starts_with(name, "[vvar"))
		return VMA_KERNEL;
	if (mappable && (vma->map_flags & MAP_SHARED))
		return VMA_FILE;
	/* On an error too: pages from the snapshot are always right. */
	if (pagemap_has_private(w->pagemap, vma->start, vma->end, w->page_size))
		return VMA_SNAPSHOT;
	if (mappable)
		return VMA_FILE;
	/* What is shared may have pages that this process has not touched. */
	return vma->inode || vma->map_flags & MAP_SHARED ? VMA_SNAPSHOT : VMA_EMPTY;
}

/* Consecutive VMAs are often of one file. */
static uint64_t version_of(struct vma_writer *w, struct descriptor_vma *vma,
			   const char *name)
{
	const struct descriptor_vma *last = w->last_file;

	if (!last || last->name != vma->name || last->inode != vma->inode ||
	    last->device_major != vma->device_major ||
	    last->device_minor != vma->device_minor ||
	    last->map_flags != vma->map_flags)
		w->last_version = mapped_file_version(vma, name);
	w->last_file = &w->vmas[w->count];
	return w->last_version;
}

/*
 * Looks into the file of a private mapping. VMAs of one file are consecutive, the first
 * of an ELF file with its header, which is in memory.
 */
static void read_contents(struct vma_writer *w, struct descriptor_vma *vma,
			  const char *name)
{
	const struct descriptor_vma *last = w->last_read, listed = *vma;
	char text[FILE_CONTENTS_TEXT];

	vma->build_id = vma->digest = DESCRIPTOR_NO_STRING;
	if (name[0] != '/' || !vma->inode || vma->map_flags & MAP_SHARED)
		return;
	if (last && last->name == vma->name && w->last_listed.inode == vma->inode &&
	    w->last_listed.device_major == vma->device_major &&
	    w->last_listed.device_minor == vma->device_minor) {
		vma->inode = last->inode;
		vma->device_major = last->device_major;
		vma->device_minor = last->device_minor;
		vma->build_id = last->build_id;
		vma->digest = last->digest;
	} else {
		if (vma->kind == VMA_FILE && !vma->offset) {
			file_build_id(w->memory, vma->start, text);
			vma->build_id = append_string(w, text);
		}
		if (w->digests &&
		    mapped_file_digest(vma, name, &w->digest_left, text))
			vma->digest = append_string(w, text);
	}
	w->last_read = &w->vmas[w->count];
	w->last_listed = listed;
}

static int add_vma(struct vma_writer *w, struct descriptor_vma vma, char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(w->hidden) / sizeof(w->hidden[0]); i++) {
		uint64_t start = w->hidden[i].start, end = w->hidden[i].end;
		struct descriptor_vma below = vma, above = vma;
		int err;

		if (end <= vma.start || start >= vma.end)
			continue;
		below.end = start;
		above.start = end;
		above.offset += vma.inode ? end - vma.start : 0;
		err = below.end > below.start ? add_vma(w, below, name) : 0;
		if (!err && above.end > above.start)
			err = add_vma(w, above, name);
		return err;
	}
	if (w->count == w->capacity)
		return -E2BIG;
	if (name[0] == '/')
		mapped_file_unescape(&vma, name);
	vma.kind = kind_of(w, &vma, name);
	if (descriptor_is_object(&vma) &&
	    shared_memory_is_own(vma.start, vma.end, name))
		vma.map_flags = MAP_PRIVATE;
	vma.name = vma_writer_add_string(w, name);
	read_contents(w, &vma, name);
	if (vma.kind == VMA_FILE)
		vma.file_version = version_of(w, &vma, name);
	/* A file that cannot be compared is not mapped by a child. */
	if (vma.kind == VMA_FILE && w->digests && !(vma.map_flags & MAP_SHARED) &&
	    vma.digest == DESCRIPTOR_NO_STRING)
		vma.file_version = DESCRIPTOR_FILE_GONE;
	w->vmas[w->count++] = vma;
	return 0;
}

/* Whether a VMA is what a resumed child keeps of its restorer area: see restore.h. */
static bool is_restorer(const struct descriptor_vma *vma)
{
	const struct restore_plan *plan = (void *)(vma->start + RESTORER_CODE_SIZE);

	return vma->end - vma->start == RESTORER_KEPT_SIZE && !vma->inode &&
	       vma->protection == (PROT_READ | PROT_WRITE | PROT_EXEC) &&
	       vma->map_flags == MAP_PRIVATE && plan->magic == RESTORE_PLAN_MAGIC &&
	       plan->restorer == vma->start;
}

/* Whether it is what a child has from the process that forked it. */
static bool is_clone_area(const struct descriptor_vma *vma, const char *name)
{
	return !vma->inode && !*name &&
	       vma->protection == (PROT_READ | PROT_WRITE) &&
	       vma->map_flags == MAP_PRIVATE && clone_area_plan(vma->start);
}

/* What made the parent a child is not its children's: a clone would take it for its own. */
static int forget(const struct descriptor_vma *vma)
{
	raw_syscall(SYS_munmap, vma->start, vma->end - vma->start);
	return 0;
}

/* One line: start-end perms offset major:minor inode name */
static int add_line(struct vma_writer *w, char *line)
{
	struct descriptor_vma vma = { 0 };
	struct cursor c = { .at = line };

	vma.start = take_number(&c, 16);
	c.at++;
	vma.end = take_number(&c, 16);
	skip(&c, ' ');
	vma.protection = (c.at[0] == 'r' ? PROT_READ : 0) |
			 (c.at[1] == 'w' ? PROT_WRITE : 0) |
			 (c.at[2] == 'x' ? PROT_EXEC : 0);
	vma.map_flags = c.at[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	c.at += 4;
	skip(&c, ' ');
	vma.offset = take_number(&c, 16);
	skip(&c, ' ');
	vma.device_major = take_number(&c, 16);
	c.at++;
	vma.device_minor = take_number(&c, 16);
	skip(&c, ' ');
	vma.inode = take_number(&c, 10);
	skip(&c, ' ');
	/* The vsyscall page is the kernel's, above user memory. */
	if (starts_with(c.at, "[vsyscall]"))
		return 0;
	if (is_restorer(&vma)) {
		w->resumed = true;
		return forget(&vma);
	}
	if (is_clone_area(&vma, c.at))
		return forget(&vma);
	if (starts_with(c.at, "[stack]"))
		vma.map_flags |= MAP_GROWSDOWN | MAP_STACK;
	return add_vma(w, vma, line + (c.at - line));
}

/*
 * Pages that a resumed child has not fetched look empty. They come from its
 * parent's snapshot, by page faults of this process; except those that fork wipes.
 */
static void distrust_empty(struct vma_writer *w)
{
	uint32_t i;

	for (i = 0; i < w->count; i++)
		if (w->vmas[i].kind == VMA_EMPTY &&
		    !(w->vmas[i].flags & DESCRIPTOR_VMA_WIPE))
			w->vmas[i].kind = VMA_SNAPSHOT;
}

int describe_vmas(struct vma_writer *w, struct proc_text *maps,
		  struct shadow_arena *arena)
{
	struct shared_copies copies = { 0 };
	struct vma_list list;
	char *p, *line;
	int err = proc_text_read("/proc/self/maps", maps);

	for (line = p = maps->start; !err && *p; p++) {
		if (*p != '\n')
			continue;
		*p = '\0';
		err = add_line(w, line);
		line = p + 1;
	}
	list = (struct vma_list){ w->vmas, w->count, w->strings };
	if (!err)
		err = shared_copies_take(&list, &copies, &arena->refusal);
	if (!err) {
		shadow_process_tell(arena, SHADOW_COPIED, 0);
		arena->served = false;
		err = vma_flags_read(w->vmas, w->count,
				     w->pagemap >= 0 && !w->resumed, &arena->served);
	}
	if (!err)
		err = shared_copies_place(&list, &copies);
	if (w->resumed)
		distrust_empty(w);
	return err;
}
