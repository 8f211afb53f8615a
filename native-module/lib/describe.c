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
#include "lib/describe_vmas.h"
#include "lib/file_contents.h"
#include "lib/fresh_state.h"
#include "lib/mapped_file.h"
#include "lib/proc_text.h"
#include "lib/replica_main.h"
#include "lib/restore.h"
#include "paging/raw_syscall.h"

/* VMAs by which the count can grow between the two readings of maps. */
#define VMA_SLACK 16u

/* Fields by number: proc_pid_stat(5). */
static int describe_layout(struct descriptor_layout *layout)
{
	char buffer[2048];
	struct proc_text text = { .start = buffer, .size = sizeof(buffer) };
	uint64_t field[53] = { 0 };
	struct cursor c;
	const char *p;
	int i, err;

	err = proc_text_read("/proc/self/stat", &text);
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
	header->boot = arena->boot ?: mapped_file_boot();
}

int describe_beside_memory(struct shadow_arena *arena,
			   const struct described_files *files,
			   struct descriptor_header **description,
			   uint64_t *mapping_size)
{
	struct vma_writer w = { 0 };
	struct descriptor_header *header;
	struct process_paths paths;
	const uint64_t size =
		sizeof(*header) + sizeof(struct descriptor_thread) +
		arena->others.count * sizeof(struct descriptor_stopped_thread) +
		files->count * sizeof(*files->fds) + 2 * sizeof(paths) +
		files->strings_size + files->data_size;
	struct descriptor_thread *thread;
	struct descriptor_stopped_thread *others;
	char *at, *end;

	*mapping_size = size > sizeof(arena->stack) ? size : 0;
	at = arena->stack;
	if (*mapping_size)
		at = (char *)raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_DESCRIPTOR),
					 size, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((long)at < 0 && (long)at > -4096)
		return (int)(long)at;
	header = (struct descriptor_header *)at;
	*header = (struct descriptor_header){ 0 };
	thread = (struct descriptor_thread *)(header + 1);
	others = (struct descriptor_stopped_thread *)(thread + 1);
	*thread = arena->thread;
	describe_stopped_threads(&arena->others, others);
	/* Behind where it will be, as in describe_self(). */
	w.strings = (char *)(others + arena->others.count) +
		    files->count * sizeof(*files->fds) + sizeof(paths);
	header->flags = arena->descriptor_flags;
	describe_process_for_module(&header->state, &paths);
	header->state.fresh = arena->fresh;
	header->state.working_directory =
		vma_writer_add_string(&w, paths.working_directory);
	header->state.program = vma_writer_add_string(&w, paths.program);
	end = add_files(header, (char *)(others + arena->others.count), &w, files);
	describe_rest(arena, header);
	header->total_size = end - at;
	*description = header;
	return 0;
}

/* Where a descriptor is written: its parts that are not at their places yet. */
struct scratch {
	char *start;
	uint64_t size;
	uint64_t text_size; /* of the strings; of the text of the maps behind them */
	uint32_t vma_capacity;
};

static int map_scratch(const struct shadow_arena *arena,
		       const struct described_files *files, struct scratch *scratch)
{
	struct maps_size listed = { 0 };
	int err = measure_maps(&listed);
	uint64_t size;
	long at;

	if (err)
		return err;
	scratch->vma_capacity = listed.lines + VMA_SLACK;
	/* A line that is split in two keeps its name once: see vma_writer_add_string(). */
	scratch->text_size =
		listed.bytes + VMA_SLACK * 256 + sizeof(struct process_paths) +
		(listed.paths + VMA_SLACK) *
			(BUILD_ID_TEXT +
			 (arena->settings.file_digest ? FILE_CONTENTS_TEXT : 0));
	size = sizeof(struct descriptor_header) + sizeof(struct descriptor_thread) +
	       arena->others.count * sizeof(struct descriptor_stopped_thread) +
	       scratch->vma_capacity * sizeof(struct descriptor_vma) +
	       2 * scratch->text_size + files->count * sizeof(*files->fds) +
	       files->strings_size + files->data_size;
	scratch->size = (size + arena->page_size - 1) & ~(arena->page_size - 1);
	at = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_DESCRIPTOR), scratch->size,
			 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	scratch->start = (char *)at;
	return 0;
}

/* The shadow's own mappings. */
static void hide_own(struct vma_writer *w, const struct shadow_arena *arena,
		     const struct described_files *files,
		     const struct scratch *scratch)
{
	w->hidden[0].start = (uintptr_t)arena;
	w->hidden[0].end = (uintptr_t)arena + arena->arena_size;
	w->hidden[1].start = (uintptr_t)scratch->start;
	w->hidden[1].end = (uintptr_t)scratch->start + scratch->size;
	w->hidden[2].start = (uintptr_t)arena->others.threads;
	w->hidden[2].end = w->hidden[2].start + arena->others.mapping_size;
	w->hidden[3].start = (uintptr_t)files->map;
	w->hidden[3].end = (uintptr_t)files->map + files->map_size;
}

static int describe_memory(struct vma_writer *w, const struct scratch *scratch,
			   struct shadow_arena *arena,
			   struct descriptor_layout *layout)
{
	struct proc_text maps = {
		.start = w->strings + scratch->text_size,
		.size = scratch->text_size,
	};
	int err;

	w->pagemap = raw_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	w->memory = raw_open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	err = describe_vmas(w, &maps, arena);
	if (w->memory >= 0)
		raw_syscall(SYS_close, w->memory);
	if (w->pagemap >= 0)
		raw_syscall(SYS_close, w->pagemap);
	return err ? err : describe_layout(layout);
}

/* What the process is, beside its memory and files. */
static void describe_state(struct vma_writer *w, struct shadow_arena *arena,
			   struct descriptor_header *header)
{
	struct process_paths paths;

	describe_signals(header->signals);
	header->flags = arena->descriptor_flags |
			describe_credentials(&header->credentials) |
			describe_process(&header->state, &paths);
	if (!(header->flags & DESCRIPTOR_SECCOMP))
		header->state.fresh = fresh_state_of_parent(arena);
	header->state.working_directory =
		vma_writer_add_string(w, paths.working_directory);
	header->state.program = vma_writer_add_string(w, paths.program);
}

int describe_self(struct shadow_arena *arena, const struct described_files *files,
		  struct descriptor_header **descriptor)
{
	struct vma_writer w = { .page_size = arena->page_size,
				.digests = arena->settings.file_digest,
				.digest_left = FILE_DIGEST_BYTES_MAX };
	struct descriptor_header *header;
	struct descriptor_thread *thread;
	struct descriptor_stopped_thread *others;
	struct scratch scratch;
	char *end;
	uint32_t i;
	int err = map_scratch(arena, files, &scratch);

	if (err)
		return err;
	header = (struct descriptor_header *)scratch.start;
	thread = (struct descriptor_thread *)(header + 1);
	others = (struct descriptor_stopped_thread *)(thread + 1);
	w.vmas = (struct descriptor_vma *)(others + arena->others.count);
	w.capacity = scratch.vma_capacity;
	/* Behind where it will be, so that it can be moved down. */
	w.strings =
		(char *)(w.vmas + w.capacity) + files->count * sizeof(*files->fds);
	hide_own(&w, arena, files, &scratch);
	err = describe_memory(&w, &scratch, arena, &header->layout);
	if (err) {
		raw_syscall(SYS_munmap, scratch.start, scratch.size);
		return err;
	}
	describe_thread(arena, thread);
	describe_stopped_threads(&arena->others, others);
	describe_state(&w, arena, header);
	end = add_files(header, (char *)(w.vmas + w.count), &w, files);

	describe_rest(arena, header);
	header->replica_entry = (uintptr_t)replica_main;
	header->vma_count = w.count;
	header->owner_pid = arena->owner_pid;
	header->owner_uid = raw_syscall(SYS_geteuid);
	header->total_size = end - scratch.start;
	for (i = 0; i < DESCRIPTOR_NAME_SIZE; i++)
		header->name[i] = arena->name[i];
	for (i = 0; i < CPU_FEATURE_WORDS; i++)
		header->cpu_features[i] = arena->cpu_features[i];
	header->vdso_hash = hash_vdso(header);
	*descriptor = header;
	return 0;
}
