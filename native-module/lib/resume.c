// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/describe.h"
#include "lib/error.h"
#include "lib/restore.h"
#include "lib/rseq.h"
#include "lib/stream.h"

/* Where a refuge is looked for: far from where programs and stacks lie. */
#define REFUGE_FIRST	0x10000000000ull
#define REFUGE_STEP	0x1000000000ull
#define REFUGE_LAST	0x600000000000ull
/* A stack may grow down to here above a refuge. */
#define REFUGE_DISTANCE	(64ull << 20)

/* Above what the parent's program may count on being free. */
#define FD_FLOOR	1000

struct resume {
	const char *what;		/* for sentences */
	struct descriptor_header *descriptor;
	uint64_t descriptor_size;
	int32_t *files;			/* per VMA */
	int stream, uffd;
	uint64_t page_size;
};

static uint64_t round_up(uint64_t size, uint64_t unit)
{
	return (size + unit - 1) & ~(unit - 1);
}

static int check_single_threaded(void)
{
	struct stat st;

	if (stat("/proc/self/task", &st))
		return fail(-errno, "/proc is needed to resume: %s",
			    strerror(errno));
	if (st.st_nlink > 3)
		return fail(-EINVAL, "a process with %d threads cannot become a "
			    "child; resume from a process with one thread, such "
			    "as mitosis-child", (int)st.st_nlink - 2);
	return 0;
}

/* Moves a descriptor out of the way of the parent's program. */
static int lift(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_FLOOR);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static int open_uffd(struct resume *r)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP |
			    UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP |
			    UFFD_FEATURE_THREAD_ID,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == EPERM)
		return fail(-EPERM, "userfaultfd needs root, CAP_SYS_PTRACE or "
				    "vm.unprivileged_userfaultfd=1; or resume with "
				    "mode clone");
	if (fd < 0)
		return fail(-errno, "this kernel has no userfaultfd: %s",
			    strerror(errno));
	if (ioctl(fd, UFFDIO_API, &api)) {
		int err = -errno;

		close(fd);
		return fail(err, "this kernel's userfaultfd lacks its events: %s",
			    strerror(-err));
	}
	r->uffd = lift(fd);
	return 0;
}

static int fetch_descriptor(struct resume *r)
{
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_DESCRIPTOR,
	};
	uint32_t length = 0;
	int err = stream_request(r->stream, &request, &length);

	if (!err) {
		r->descriptor = malloc(length);
		r->descriptor_size = length;
		err = r->descriptor ? stream_receive(r->stream, r->descriptor,
						     length) :
				      -ENOMEM;
	}
	if (err)
		return fail(err, "the descriptor of %s cannot be fetched: %s",
			    r->what, strerror(-err));
	if (descriptor_check(r->descriptor, r->descriptor_size, r->page_size))
		return fail(-EPROTO, "the descriptor of %s is not valid here",
			    r->what);
	return 0;
}

/*
 * Opens the file behind a VMA if it is the one that the parent mapped; what
 * cannot be opened, or is another file, comes page by page from the snapshot.
 */
static int open_file(const struct descriptor_header *d,
		     const struct descriptor_vma *vma)
{
	bool write_through = (vma->map_flags & MAP_SHARED) &&
			     (vma->protection & PROT_WRITE);
	int fd = open(descriptor_string(d, vma->name),
		      (write_through ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || st.st_ino != vma->inode ||
	    major(st.st_dev) != vma->device_major ||
	    minor(st.st_dev) != vma->device_minor) {
		close(fd);
		return -1;
	}
	return lift(fd);
}

static int open_files(struct resume *r)
{
	const struct descriptor_vma *vmas = descriptor_vmas(r->descriptor);
	uint32_t count = r->descriptor->vma_count;
	uint32_t i;

	r->files = malloc((count + 1) * sizeof(*r->files));
	if (!r->files)
		return fail(-ENOMEM, "there is no memory for a child of %s", r->what);
	for (i = 0; i < count; i++) {
		bool again = i && r->files[i - 1] >= 0 &&
			     vmas[i].kind == VMA_FILE &&
			     vmas[i - 1].name == vmas[i].name &&
			     vmas[i - 1].map_flags == vmas[i].map_flags &&
			     vmas[i - 1].protection == vmas[i].protection;

		if (vmas[i].kind != VMA_FILE)
			r->files[i] = -1;
		else
			r->files[i] = again ? r->files[i - 1] :
					      open_file(r->descriptor, &vmas[i]);
	}
	return 0;
}

static void close_files(struct resume *r)
{
	uint32_t i;

	for (i = 0; r->files && i < r->descriptor->vma_count; i++)
		if (r->files[i] >= 0 && (!i || r->files[i] != r->files[i - 1]))
			close(r->files[i]);
	free(r->files);
}

/* This process's vdso and vvar, and a check that the parent's are alike. */
static int plan_vdso(const struct resume *r, struct restore_plan *plan)
{
	const struct descriptor_vma *vmas = descriptor_vmas(r->descriptor);
	FILE *maps = fopen("/proc/self/maps", "re");
	uint32_t own = 0, theirs = 0, i;
	char line[4096 + 128];
	uint64_t hash = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		bool vdso = strstr(line, "[vdso]");

		if (!vdso && !strstr(line, "[vvar"))
			continue;
		if (own == KERNEL_VMAS_MAX ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			break;
		if (vdso)
			hash = hash_pages((void *)start, (void *)end);
		plan->kernel_vmas[own].start = start;
		plan->kernel_vmas[own++].length = end - start;
	}
	if (maps)
		fclose(maps);
	for (i = 0; i < r->descriptor->vma_count; i++) {
		if (vmas[i].kind != VMA_KERNEL)
			continue;
		if (theirs >= own || plan->kernel_vmas[theirs].length !=
					     vmas[i].end - vmas[i].start)
			return -EPROTO;
		theirs++;
	}
	plan->kernel_vma_count = own;
	return theirs == own && hash == r->descriptor->vdso_hash ? 0 : -EPROTO;
}

static uint64_t vdso_size(const struct restore_plan *plan)
{
	uint64_t size = 0;
	uint32_t i;

	for (i = 0; i < plan->kernel_vma_count; i++)
		size += plan->kernel_vmas[i].length;
	return size;
}

static bool parent_uses(const struct resume *r, uint64_t start, uint64_t end)
{
	const struct descriptor_vma *vmas = descriptor_vmas(r->descriptor);
	uint32_t i;

	for (i = 0; i < r->descriptor->vma_count; i++)
		if (vmas[i].start < end + REFUGE_DISTANCE && vmas[i].end > start)
			return true;
	return false;
}

/* Memory that neither this process nor the parent uses. */
static char *find_refuge(const struct resume *r, uint64_t size)
{
	uint64_t at;

	for (at = REFUGE_FIRST; at < REFUGE_LAST; at += REFUGE_STEP) {
		void *p;

		if (parent_uses(r, at, at + size))
			continue;
		p = mmap((void *)at, size, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (p == (void *)at)
			return p;
		if (p != MAP_FAILED)
			munmap(p, size);
	}
	return NULL;
}

static void plan_layout(const struct descriptor_layout *l,
			struct prctl_mm_map *layout)
{
	*layout = (struct prctl_mm_map){
		.start_code = l->start_code,
		.end_code = l->end_code,
		.start_data = l->start_data,
		.end_data = l->end_data,
		.start_brk = l->start_brk,
		.brk = l->brk,
		.start_stack = l->start_stack,
		.arg_start = l->arg_start,
		.arg_end = l->arg_end,
		.env_start = l->env_start,
		.env_end = l->env_end,
		.exe_fd = -1,
	};
}

static void plan_pages(const struct mitosis_resume_options *options,
		       struct restore_plan *plan)
{
	plan->eager = options->mode == MITOSIS_RESUME_EAGER;
	plan->page_request = (struct shadow_request){
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_PAGE,
		.flags = (plan->eager ? SHADOW_PAGE_EAGER : 0) |
			 (options->mode == MITOSIS_RESUME_CACHED ?
				  SHADOW_PAGE_CACHED : 0),
		.window = options->prefetch_pages,
		.cpu = sched_getcpu(),
	};
}

/* Lays the refuge out. Returns the plan in it, or NULL with a sentence. */
static struct restore_plan *make_plan(struct resume *r,
				      const struct mitosis_resume_options *options,
				      int *err)
{
	uint64_t files_size = r->descriptor->vma_count * sizeof(*r->files);
	uint64_t size = REFUGE_KEPT_SIZE;
	uint64_t descriptor_at = size, files_at, park_at;
	struct restore_plan draft = { 0 };
	struct restore_plan *plan;
	char *refuge;

	*err = plan_vdso(r, &draft);
	if (*err) {
		fail(*err, "%s was made under another kernel: its vdso differs "
			   "from this machine's; run the same kernel on both",
		     r->what);
		return NULL;
	}
	files_at = descriptor_at + round_up(r->descriptor_size, 16);
	park_at = round_up(files_at + files_size, r->page_size);
	size = park_at + vdso_size(&draft);
	refuge = find_refuge(r, size);
	if (!refuge) {
		*err = fail(-ENOMEM, "no room for %llu bytes beside the memory of %s",
			    (unsigned long long)size, r->what);
		return NULL;
	}
	memcpy(refuge, __start_restorer, __stop_restorer - __start_restorer);
	memcpy(refuge + descriptor_at, r->descriptor, r->descriptor_size);
	memcpy(refuge + files_at, r->files, files_size);

	plan = (struct restore_plan *)(refuge + REFUGE_CODE_SIZE);
	*plan = draft;
	plan->magic = RESTORE_PLAN_MAGIC;
	plan->refuge = (uintptr_t)refuge;
	plan->refuge_size = size;
	plan->descriptor = (void *)(refuge + descriptor_at);
	plan->vmas = descriptor_vmas(plan->descriptor);
	plan->files = (void *)(refuge + files_at);
	plan->thread = *descriptor_thread(r->descriptor);
	plan->uffd = r->uffd;
	plan->stream = r->stream;
	plan->complaints = fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : STDERR_FILENO;
	plan->park = (uintptr_t)refuge + park_at;
	plan_layout(&r->descriptor->layout, &plan->layout);
	plan_pages(options, plan);
	rseq_of_caller(&plan->own_rseq, &plan->own_rseq_size,
		       &plan->own_rseq_signature);
	plan->complaint_size = snprintf(plan->complaint, sizeof(plan->complaint),
					"mitosis: resume failed at step ?\n");
	return plan;
}

/* From here on there is no caller any more. */
static void __attribute__((noreturn)) leap(struct restore_plan *plan)
{
	char *refuge = (char *)plan->refuge;
	void *code = refuge + ((const char *)restore - __start_restorer);
	void *stack = refuge + REFUGE_KEPT_SIZE;

	__asm__ volatile("mov %[stack], %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%[code]"
			 :
			 : [stack] "r"(stack), [code] "r"(code), "D"(plan)
			 : "memory");
	__builtin_unreachable();
}

int resume_from(int stream, const struct mitosis_resume_options *options,
		const char *what)
{
	struct resume r = {
		.what = what,
		.stream = lift(stream),
		.uffd = -1,
		.page_size = sysconf(_SC_PAGESIZE),
	};
	struct restore_plan *plan;
	int err = check_single_threaded();

	if (!err)
		err = open_uffd(&r);
	if (!err)
		err = fetch_descriptor(&r);
	if (!err && (r.descriptor->flags & DESCRIPTOR_THREADS_MISSING))
		err = fail(-EINVAL, "%s was prepared beside other threads, which a "
				    "child would miss", what);
	if (!err)
		err = open_files(&r);
	if (!err)
		plan = make_plan(&r, options, &err);
	if (!err && (fcntl(r.stream, F_SETOWN, getpid()) ||
		     fcntl(r.stream, F_SETSIG, SIGKILL)))
		err = fail(-errno, "no lifeline to %s: %s", what, strerror(errno));
	if (!err) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		leap(plan);
	}
	close_files(&r);
	free(r.descriptor);
	if (r.uffd >= 0)
		close(r.uffd);
	close(r.stream);
	return err;
}
