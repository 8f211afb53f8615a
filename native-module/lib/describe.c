// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/describe.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/cursor.h"
#include "lib/describe_credentials.h"
#include "lib/describe_process.h"
#include "lib/file_contents.h"
#include "lib/fresh_state.h"
#include "lib/mapped_file.h"
#include "lib/pagemap.h"
#include "lib/replica_main.h"
#include "lib/restore.h"
#include "lib/shadow_process.h"
#include "lib/shared_copies.h"
#include "lib/shared_memory.h"
#include "lib/vma_flags.h"
#include "paging/raw_syscall.h"

/* VMAs by which the count can grow between the two readings of maps. */
#define VMA_SLACK   16u
#define READ_WINDOW (16u << 10)

struct text {
	char *start;
	uint64_t size;
};

static size_t length_of(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* Of /proc/self/maps. */
struct maps_size {
	uint64_t bytes, lines;
	uint64_t paths; /* lines with one, or more */
};

static int measure_maps(struct maps_size *size)
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

static int read_text(const char *path, struct text *text)
{
	long fd = raw_open(path, O_RDONLY | O_CLOEXEC);
	uint64_t done = 0;
	long n;

	if (fd < 0)
		return fd;
	while ((n = raw_syscall(SYS_read, fd, text->start + done,
				text->size - 1 - done)) > 0)
		done += n;
	raw_syscall(SYS_close, fd);
	if (n < 0)
		return n;
	if (done == text->size - 1)
		return -E2BIG;
	text->start[done] = '\0';
	return 0;
}

/* Fields by number: proc_pid_stat(5). */
static int describe_layout(struct descriptor_layout *layout)
{
	char buffer[2048];
	struct text text = { .start = buffer, .size = sizeof(buffer) };
	uint64_t field[53] = { 0 };
	struct cursor c;
	const char *p;
	int i, err;

	err = read_text("/proc/self/stat", &text);
	if (err)
		return err;
	/* The second field, the name, may hold anything: start after its end. */
	c.at = buffer;
	for (p = buffer; *p; p++)
		if (*p == ')')
			c.at = p + 1;
	for (i = 3; i < 53 && *c.at; i++) {
		skip(&c, ' ');
		field[i] = take_number(&c, 10);
		while (*c.at && *c.at != ' ')
			c.at++;
	}
	*layout = (struct descriptor_layout){
		.start_code = field[26],
		.end_code = field[27],
		.start_stack = field[28],
		.start_data = field[45],
		.end_data = field[46],
		.start_brk = field[47],
		.arg_start = field[48],
		.arg_end = field[49],
		.env_start = field[50],
		.env_end = field[51],
		.brk = raw_syscall(SYS_brk, 0),
	};
	return 0;
}

static void describe_signals(struct descriptor_signal *signals)
{
	int i;

	for (i = 0; i < DESCRIPTOR_SIGNALS; i++)
		raw_syscall(SYS_rt_sigaction, i + 1, 0, &signals[i],
			    sizeof(signals[i].mask));
}

/* Adds the state that fork copies, which the shadow can read for its parent. */
static void describe_thread(const struct shadow_arena *arena,
			    struct descriptor_thread *thread)
{
	stack_t altstack = { 0 };

	*thread = arena->thread;
	raw_syscall(SYS_arch_prctl, ARCH_GET_FS, &thread->fs_base);
	raw_syscall(SYS_arch_prctl, ARCH_GET_GS, &thread->gs_base);
	raw_syscall(SYS_sigaltstack, 0, &altstack);
	thread->altstack_base = (uintptr_t)altstack.ss_sp;
	thread->altstack_size = altstack.ss_size;
	thread->altstack_flags = altstack.ss_flags;
}

/* Those that were stopped, by ascending id: Shell's sort with gaps of powers of two. */
static void describe_stopped_threads(const struct stopped_threads *others,
				     struct descriptor_stopped_thread *threads)
{
	uint32_t count = others->count, gap, i, at;

	for (i = 0; i < count; i++)
		threads[i] = others->threads[i];
	for (gap = 1; gap < count; gap *= 2)
		;
	for (gap /= 2; gap; gap /= 2)
		for (i = gap; i < count; i++) {
			struct descriptor_stopped_thread moved = threads[i];

			for (at = i; at >= gap && threads[at - gap].tid > moved.tid;
			     at -= gap)
				threads[at] = threads[at - gap];
			threads[at] = moved;
		}
}

static uint64_t hash_vdso(const struct descriptor_header *d)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t i;

	for (i = 0; i < d->vma_count; i++)
		if (starts_with(descriptor_string(d, vmas[i].name), "[vdso]"))
			return descriptor_hash((void *)vmas[i].start,
					       vmas[i].end - vmas[i].start);
	return 0;
}

struct vma_writer {
	struct descriptor_vma *vmas;
	uint32_t count, capacity;
	char *strings;
	uint32_t strings_size;
	uint32_t last_string;
	const struct descriptor_vma *last_file; /* NULL: none yet */
	uint64_t last_version;			/* of its file */
	/* The last VMA whose file was looked into, with its device and inode in /proc/self/maps. */
	const struct descriptor_vma *last_read;
	struct descriptor_vma last_listed;
	int pagemap, memory; /* of this process */
	bool digests;
	uint64_t page_size;
	bool resumed; /* this process is a resumed child */
	struct {
		uint64_t start, end;
	} hidden[4]; /* the shadow's own mappings, and the records of stopped threads */
};

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
static uint32_t add_string(struct vma_writer *w, const char *name)
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
		if (w->digests && mapped_file_digest(vma, name, text))
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
	vma.name = add_string(w, name);
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
		return 0;
	}
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

static int describe_vmas(struct vma_writer *w, struct text *maps,
			 struct shadow_arena *arena)
{
	struct shared_copies copies = { 0 };
	struct vma_list list;
	char *p, *line;
	int err = read_text("/proc/self/maps", maps);

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
		err = vma_flags_read(w->vmas, w->count,
				     w->pagemap >= 0 && !w->resumed);
	}
	if (!err)
		err = shared_copies_place(&list, &copies);
	if (w->resumed)
		distrust_empty(w);
	return err;
}

/* Puts the open files behind the VMAs, and their strings behind those of the VMAs. */
static char *add_files(struct descriptor_header *header, char *at,
		       const struct vma_writer *w,
		       const struct described_files *files)
{
	struct descriptor_fd *fds = (struct descriptor_fd *)at;
	uint64_t i;

	for (i = 0; i < files->count; i++) {
		fds[i] = files->fds[i];
		if (fds[i].path != DESCRIPTOR_NO_STRING)
			fds[i].path += w->strings_size;
	}
	at = (char *)(fds + files->count);
	for (i = 0; i < w->strings_size; i++)
		*at++ = w->strings[i];
	for (i = 0; i < files->strings_size; i++)
		*at++ = files->strings[i];
	for (i = 0; i < files->data_size; i++)
		*at++ = files->data[i];
	header->fd_count = files->count;
	header->strings_size = w->strings_size + files->strings_size;
	header->data_size = files->data_size;
	return at;
}

/* In ns. */
static int64_t read_clock(clockid_t clock)
{
	struct timespec now = { 0 };

	raw_syscall(SYS_clock_gettime, clock, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* What it is, and when. */
static void describe_rest(const struct shadow_arena *arena,
			  struct descriptor_header *header)
{
	header->magic = DESCRIPTOR_MAGIC;
	header->version = DESCRIPTOR_VERSION;
	header->header_size = sizeof(*header);
	header->thread_count = 1 + arena->others.count;
	header->process = arena->process;
	header->monotonic_ns = arena->process ? read_clock(CLOCK_MONOTONIC) : 0;
	header->boottime_ns = arena->process ? read_clock(CLOCK_BOOTTIME) : 0;
	header->instance = (uint32_t)read_clock(CLOCK_MONOTONIC) ?: 1;
	header->xstate_size = 0; /* a function call preserves no vector registers */
	header->xfeatures = 0;
	header->page_size = arena->page_size;
	header->boot = mapped_file_boot();
}

int describe_beside_memory(struct shadow_arena *arena,
			   const struct described_files *files,
			   struct descriptor_header **description,
			   uint64_t *mapping_size)
{
	struct vma_writer w = { 0 };
	struct descriptor_header *header;
	struct process_paths paths;
	uint64_t size =
		sizeof(*header) + sizeof(struct descriptor_thread) +
		arena->others.count * sizeof(struct descriptor_stopped_thread) +
		files->count * sizeof(*files->fds) + 2 * sizeof(paths) +
		files->strings_size + files->data_size;
	struct descriptor_thread *thread;
	struct descriptor_stopped_thread *others;
	char *at, *end;

	at = (char *)raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_DESCRIPTOR), size,
				 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0);
	if ((long)at < 0 && (long)at > -4096)
		return (int)(long)at;
	header = (struct descriptor_header *)at;
	thread = (struct descriptor_thread *)(header + 1);
	others = (struct descriptor_stopped_thread *)(thread + 1);
	*thread = arena->thread;
	describe_stopped_threads(&arena->others, others);
	/* Behind where it will be, as in describe_self(). */
	w.strings = (char *)(others + arena->others.count) +
		    files->count * sizeof(*files->fds) + sizeof(paths);
	header->flags =
		arena->descriptor_flags | describe_process(&header->state, &paths);
	header->state.fresh = arena->fresh;
	header->state.working_directory = add_string(&w, paths.working_directory);
	header->state.program = add_string(&w, paths.program);
	end = add_files(header, (char *)(others + arena->others.count), &w, files);
	describe_rest(arena, header);
	header->total_size = end - at;
	*description = header;
	*mapping_size = size;
	return 0;
}

int describe_self(struct shadow_arena *arena, const struct described_files *files,
		  struct descriptor_header **descriptor)
{
	struct vma_writer w = { .page_size = arena->page_size,
				.digests = arena->settings.file_digest };
	struct descriptor_header *header;
	struct descriptor_thread *thread;
	struct descriptor_stopped_thread *others;
	struct process_paths paths;
	struct text maps;
	struct maps_size listed = { 0 };
	uint64_t size;
	char *scratch, *end;
	uint32_t i;
	long fd;
	int err;

	err = measure_maps(&listed);
	if (err)
		return err;
	w.capacity = listed.lines + VMA_SLACK;
	/* A line that is split in two keeps its name once: see add_string(). */
	maps.size = listed.bytes + VMA_SLACK * 256 + sizeof(paths) +
		    (listed.paths + VMA_SLACK) *
			    (BUILD_ID_TEXT + (w.digests ? FILE_CONTENTS_TEXT : 0));
	size = sizeof(*header) + sizeof(*thread) +
	       arena->others.count * sizeof(*others) + w.capacity * sizeof(*w.vmas) +
	       2 * maps.size + files->count * sizeof(*files->fds) +
	       files->strings_size + files->data_size;
	size = (size + arena->page_size - 1) & ~(arena->page_size - 1);
	scratch = (char *)raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_DESCRIPTOR),
				      size, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((long)scratch < 0 && (long)scratch > -4096)
		return (int)(long)scratch;
	header = (struct descriptor_header *)scratch;
	thread = (struct descriptor_thread *)(header + 1);
	others = (struct descriptor_stopped_thread *)(thread + 1);
	w.vmas = (struct descriptor_vma *)(others + arena->others.count);
	/* Behind where it will be, so that it can be moved down. */
	w.strings =
		(char *)(w.vmas + w.capacity) + files->count * sizeof(*files->fds);
	maps.start = w.strings + maps.size;
	w.hidden[0].start = (uintptr_t)arena;
	w.hidden[0].end = (uintptr_t)arena + arena->arena_size;
	w.hidden[1].start = (uintptr_t)scratch;
	w.hidden[1].end = (uintptr_t)scratch + size;
	w.hidden[2].start = (uintptr_t)arena->others.threads;
	w.hidden[2].end = w.hidden[2].start + arena->others.mapping_size;
	w.hidden[3].start = (uintptr_t)files->map;
	w.hidden[3].end = (uintptr_t)files->map + files->map_size;

	fd = raw_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	w.pagemap = fd;
	w.memory = raw_open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	err = describe_vmas(&w, &maps, arena);
	if (w.memory >= 0)
		raw_syscall(SYS_close, w.memory);
	if (fd >= 0)
		raw_syscall(SYS_close, fd);
	if (!err)
		err = describe_layout(&header->layout);
	if (err) {
		raw_syscall(SYS_munmap, scratch, size);
		return err;
	}
	describe_signals(header->signals);
	describe_thread(arena, thread);
	describe_stopped_threads(&arena->others, others);
	header->flags = arena->descriptor_flags |
			describe_credentials(&header->credentials) |
			describe_process(&header->state, &paths);
	if (!(header->flags & DESCRIPTOR_SECCOMP))
		header->state.fresh = fresh_state_of_parent(arena);
	header->state.working_directory = add_string(&w, paths.working_directory);
	header->state.program = add_string(&w, paths.program);
	end = add_files(header, (char *)(w.vmas + w.count), &w, files);

	describe_rest(arena, header);
	header->replica_entry = (uintptr_t)replica_main;
	header->vma_count = w.count;
	header->owner_pid = arena->owner_pid;
	header->owner_uid = raw_syscall(SYS_geteuid);
	header->total_size = end - scratch;
	for (i = 0; i < DESCRIPTOR_NAME_SIZE; i++)
		header->name[i] = arena->name[i];
	for (i = 0; i < CPU_FEATURE_WORDS; i++)
		header->cpu_features[i] = arena->cpu_features[i];
	header->vdso_hash = hash_vdso(header);
	*descriptor = header;
	return 0;
}
