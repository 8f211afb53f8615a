// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/describe.h"
#include "lib/page_server.h"
#include "lib/pagemap.h"
#include "lib/raw_syscall.h"
#include "lib/thread_state.h"
#include "local/protocol.h"

/* How long the daemon may take to answer a registration, in ms. */
#define DAEMON_DEADLINE_MS	2000
/* A clone's own, until it is on the stack that it goes on with. */
#define CLONE_STACK_SIZE	(16u << 10)
/* Of a clone whose files do not fit below the limit of open files. */
#define CLONE_FAILED_STATUS	125

int shadow_arena_create(struct shadow_arena **arena)
{
	size_t size = sizeof(**arena);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	if (mmap(p, offsetof(struct shadow_arena, stack), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
		munmap(p, size);
		return -ENOMEM;
	}
	/* A flag of its own keeps the kernel from merging it with a neighbour. */
	madvise(p, size, MADV_DONTDUMP);
	*arena = p;
	(*arena)->page_size = sysconf(_SC_PAGESIZE);
	(*arena)->arena_size = (size + (*arena)->page_size - 1) &
			       ~((*arena)->page_size - 1);
	return 0;
}

void shadow_arena_destroy(struct shadow_arena *arena)
{
	munmap(arena, arena->arena_size);
}

/*
 * Everything below runs in the shadow: no libc, no TLS, no globals.
 */

/*
 * Forks; the child calls `entry` on a stack of its own and never returns.
 * Returns its pid or -errno. `pidfd` and `tid` are for CLONE_PIDFD and
 * CLONE_CHILD_*TID.
 */
static long clone_onto(char *stack, void (*entry)(void *), void *argument,
		       uint64_t flags, int *pidfd, void *tid)
{
	register void *r12 __asm__("r12") = (void *)entry;
	register void *r13 __asm__("r13") = argument;
	register void *r10 __asm__("r10") = tid;
	register long r8 __asm__("r8") = 0;
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_clone), "D"(flags), "S"(stack), "d"(pidfd),
			   "r"(r10), "r"(r8), "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory", "cc");
	return result;
}

struct own_memory {
	struct page_source source;
	int memory;			/* /proc/self/mem */
	int pagemap;
	uint64_t page_size;
};

static void __attribute__((noreturn)) shadow_exit(void)
{
	for (;;)
		raw_syscall(SYS_exit_group, 0);
}

static void close_everything(void)
{
	long fd;

	if (raw_syscall(SYS_close_range, 0, ~0u, 0) == 0)
		return;
	/* Kernels before 5.9, or a seccomp filter that does not know the call. */
	for (fd = 0; fd < 65536; fd++)
		raw_syscall(SYS_close, fd);
}

/* Returns the channel, or -1 if the daemon does not want this shadow. */
static int register_with_daemon(const struct shadow_arena *arena)
{
	struct local_message m = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = LOCAL_REGISTER,
		.handler_id = arena->handler_id,
		.slot = arena->slot,
		.generation = arena->generation,
	};
	long fd = raw_syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0);
	long n;

	if (fd < 0)
		return -1;
	page_server_set_deadline(fd, DAEMON_DEADLINE_MS);
	if (raw_syscall(SYS_connect, fd, &arena->daemon, sizeof(arena->daemon)))
		return -1;
	if (raw_syscall(SYS_sendto, fd, &m, sizeof(m), MSG_NOSIGNAL, 0, 0) !=
	    sizeof(m))
		return -1;
	n = raw_syscall(SYS_recvfrom, fd, &m, sizeof(m), 0, 0, 0);
	return n == sizeof(m) && m.magic == LOCAL_MAGIC &&
			       m.version == LOCAL_VERSION &&
			       m.type == LOCAL_ANSWER && !m.status ?
		       fd :
		       -1;
}

/* The snapshot lies where it lay in the parent. */
static int own_fetch(struct page_source *source, uint64_t address,
		     uint64_t *length, const void **bytes)
{
	(void)source, (void)length;
	*bytes = (const void *)address;
	return 0;
}

static int own_next_run(struct page_source *source, uint64_t *start,
			uint64_t *end)
{
	struct own_memory *own = (struct own_memory *)source;

	return pagemap_next_present(own->pagemap, start, end, own->page_size);
}

/*
 * What a child that prepared itself has not fetched: unlike /proc/self/mem,
 * this call waits for a userfaultfd.
 */
static long fetch_and_read(uint64_t address, void *buffer, size_t size)
{
	struct iovec to = { .iov_base = buffer, .iov_len = size };
	struct iovec from = { .iov_base = (void *)address, .iov_len = size };

	return raw_syscall(SYS_process_vm_readv, raw_syscall(SYS_getpid), &to, 1,
			   &from, 1, 0);
}

/*
 * Through /proc/self/mem, because that reads what is PROT_NONE as well and
 * answers for holes instead of raising SIGSEGV.
 */
static int own_read(struct page_source *source, uint64_t address, void *buffer,
		    size_t size)
{
	struct own_memory *own = (struct own_memory *)source;
	size_t done = 0;

	while (done < size) {
		long n = raw_syscall(SYS_pread64, own->memory,
				     (char *)buffer + done, size - done,
				     address + done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			n = fetch_and_read(address + done, (char *)buffer + done,
					   size - done);
		if (n <= 0)
			return -EFAULT;
		done += n;
	}
	return 0;
}

/* What a clone is told by the shadow that forks it; in memory they do not share. */
struct clone_orders {
	struct clone_files files;
	const struct descriptor_header *descriptor;
	char stack[CLONE_STACK_SIZE] __attribute__((aligned(64)));
};

/*
 * The files that came for it, at their numbers, and none of the shadow's. They
 * are put out of the way first, as low as can be: a user's limit may be 1024.
 */
static bool arrange_files(const struct clone_files *files)
{
	int lifted[SHADOW_CLONE_FILES_MAX];
	int floor = 0;
	uint32_t i;

	for (i = 0; i < files->count; i++) {
		if (files->numbers[i] >= floor)
			floor = files->numbers[i] + 1;
		if (files->passed[i] >= floor)
			floor = files->passed[i] + 1;
	}
	for (i = 0; i < files->count; i++) {
		lifted[i] = raw_syscall(SYS_fcntl, files->passed[i], F_DUPFD, floor);
		if (lifted[i] < 0)
			return false;
	}
	if (floor)
		raw_syscall(SYS_close_range, 0, floor - 1, 0);
	for (i = 0; i < files->count; i++)
		raw_syscall(SYS_dup2, lifted[i], files->numbers[i]);
	raw_syscall(SYS_close_range, floor, ~0u, 0);
	return true;
}

/* Takes back what the shadow changed of the process that it was forked from. */
static void undo_shadow(const struct descriptor_header *d)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	const struct descriptor_thread *t = descriptor_thread(d);
	unsigned long every_cpu[1024 / (8 * sizeof(long))];
	uint32_t i;

	for (i = 0; i < sizeof(every_cpu) / sizeof(every_cpu[0]); i++)
		every_cpu[i] = ~0ul;
	raw_syscall(SYS_sched_setaffinity, 0, sizeof(every_cpu), every_cpu);
	raw_syscall(SYS_prctl, PR_SET_NAME, d->name, 0, 0, 0);
	for (i = 0; i < d->vma_count; i++)
		if (vmas[i].kind == VMA_SNAPSHOT &&
		    !(vmas[i].protection & PROT_READ))
			raw_syscall(SYS_mprotect, vmas[i].start,
				    vmas[i].end - vmas[i].start,
				    vmas[i].protection);
	if (t->robust_list)
		raw_syscall(SYS_set_robust_list, t->robust_list,
			    t->robust_list_size);
}

/* The child: as if prepare had just returned 0. */
static void __attribute__((noreturn, used)) clone_main(struct clone_orders *o)
{
	const struct descriptor_thread *t = descriptor_thread(o->descriptor);
	uint64_t mask = t->signal_mask;

	/* It ends with the shadow, which its proxy asks about it. */
	raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!arrange_files(&o->files))
		raw_syscall(SYS_exit_group, CLONE_FAILED_STATUS);
	undo_shadow(o->descriptor);
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
	thread_go_on(t);
}

static int own_clone(struct page_source *source, const struct clone_files *files)
{
	const struct descriptor_thread *t = descriptor_thread(source->descriptor);
	uint64_t flags = CLONE_PIDFD;
	struct clone_orders *o;
	int pidfd = -1;
	long pid;

	o = (void *)raw_syscall(SYS_mmap, 0, sizeof(*o), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((long)o < 0 && (long)o > -4096)
		return -ENOMEM;
	o->files = *files;
	o->descriptor = source->descriptor;
	if (t->tid_address)
		flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	pid = clone_onto(o->stack + sizeof(o->stack), (void (*)(void *))clone_main,
			 o, flags, &pidfd, (void *)t->tid_address);
	raw_syscall(SYS_munmap, o, sizeof(*o));
	return pid < 0 ? pid : pidfd;
}

/* A child's page faults are served where the parent could not read itself. */
static void make_readable(const struct descriptor_header *d)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t i;

	for (i = 0; i < d->vma_count; i++)
		if (vmas[i].kind == VMA_SNAPSHOT &&
		    !(vmas[i].protection & PROT_READ))
			raw_syscall(SYS_mprotect, vmas[i].start,
				    vmas[i].end - vmas[i].start, PROT_READ);
}

static void __attribute__((noreturn, used)) shadow_main(struct shadow_arena *arena)
{
	struct own_memory own = {
		.source = {
			.fetch = own_fetch,
			.next_run = own_next_run,
			.read = own_read,
			.clone = own_clone,
		},
		.page_size = arena->page_size,
	};
	struct page_server *server;
	struct descriptor_header *descriptor;
	long channel;

	close_everything();
	raw_syscall(SYS_setsid);
	raw_syscall(SYS_prctl, PR_GET_NAME, arena->name, 0, 0, 0);
	raw_syscall(SYS_prctl, PR_SET_NAME, "mitosis-shadow", 0, 0, 0);
	channel = register_with_daemon(arena);
	if (channel < 0 || describe_self(arena, &descriptor))
		shadow_exit();
	own.source.descriptor = descriptor;
	make_readable(descriptor);
	own.memory = raw_syscall(SYS_open, "/proc/self/mem", O_RDONLY | O_CLOEXEC);
	own.pagemap = raw_syscall(SYS_open, "/proc/self/pagemap",
				  O_RDONLY | O_CLOEXEC);
	server = page_server_create(&own.source, channel, arena->page_size);
	if (own.memory >= 0 && own.pagemap >= 0 && server)
		page_server_run(server, -1, -1);
	shadow_exit();
}

/*
 * clone() with no flags is fork() without a signal at the child's end. The
 * child comes back on the arena's stack, so its parent's stays as it was.
 */
int shadow_fork(struct shadow_arena *arena)
{
	return clone_onto(arena->stack + sizeof(arena->stack),
			  (void (*)(void *))shadow_main, arena, 0, NULL, NULL);
}
