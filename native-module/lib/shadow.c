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
#include "lib/pagemap.h"
#include "lib/thread_state.h"
#include "local/protocol.h"
#include "paging/page_server.h"
#include "paging/raw_message.h"
#include "paging/raw_syscall.h"
#include "paging/run_on.h"

/* How long the daemon may take to answer a registration, in ms. */
#define DAEMON_DEADLINE_MS	2000
/* A clone's own, until it is on the stack that it goes on with. */
#define CLONE_STACK_SIZE	(16u << 10)

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
	int self;			/* pidfd of this process */
	uint64_t page_size;
};

static void __attribute__((noreturn)) shadow_exit(void)
{
	for (;;)
		raw_syscall(SYS_exit_group, 0);
}

static void close_from(long fd)
{
	if (raw_syscall(SYS_close_range, fd, ~0u, 0) == 0)
		return;
	/* Kernels before 5.9, or a seccomp filter that does not know the call. */
	for (; fd < 65536; fd++)
		raw_syscall(SYS_close, fd);
}

/* Returns the channel, or -1 if the daemon does not want this shadow. */
static int register_with_daemon(const struct shadow_arena *arena)
{
	struct local_message m = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = LOCAL_REGISTER,
		.slot = arena->slot,
		.generation = arena->generation,
	};
	long fd = raw_syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0);
	long n;

	if (fd < 0)
		return -1;
	raw_set_deadline(fd, DAEMON_DEADLINE_MS);
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
	struct clone_request request;
	const struct descriptor_header *descriptor;
	char stack[CLONE_STACK_SIZE] __attribute__((aligned(64)));
};

/*
 * The files that came for it, at their numbers, and none of the shadow's. They
 * are put out of the way first, as low as can be: a user's limit may be 1024.
 */
static bool arrange_files(const struct clone_request *r)
{
	int lifted[SHADOW_CLONE_FILES_MAX];
	int floor = 0;
	uint32_t i;

	for (i = 0; i < r->count; i++) {
		if (r->numbers[i] >= floor)
			floor = r->numbers[i] + 1;
		if (r->passed[i] >= floor)
			floor = r->passed[i] + 1;
	}
	for (i = 0; i < r->count; i++) {
		if (r->numbers[i] < 0)
			continue;
		lifted[i] = raw_syscall(SYS_fcntl, r->passed[i], F_DUPFD, floor);
		if (lifted[i] < 0)
			return false;
	}
	if (floor)
		raw_syscall(SYS_close_range, 0, floor - 1, 0);
	for (i = 0; i < r->count; i++)
		if (r->numbers[i] >= 0)
			raw_syscall(SYS_dup2, lifted[i], r->numbers[i]);
	raw_syscall(SYS_close_range, floor, ~0u, 0);
	return true;
}

/* Calls `enter` with every file that came for one purpose. */
static bool enter_each(const struct clone_request *r, int32_t purpose,
		       bool (*enter)(const struct clone_request *r, int fd))
{
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (r->numbers[i] == purpose && !enter(r, r->passed[i]))
			return false;
	return true;
}

/* Into the PID namespace it was born: own_clone(). */
static bool enter_namespaces(const struct clone_request *r, int fd)
{
	uint32_t namespaces = r->namespaces & ~CLONE_NEWPID;

	return !namespaces || !raw_syscall(SYS_setns, fd, namespaces);
}

static bool enter_cgroup(const struct clone_request *r, int fd)
{
	(void)r;
	return raw_syscall(SYS_write, fd, "0", 1) == 1;
}

static bool enter_root(const struct clone_request *r, int fd)
{
	(void)r;
	return !raw_syscall(SYS_fchdir, fd) && !raw_syscall(SYS_chroot, ".");
}

static bool enter_container(const struct clone_request *r)
{
	return enter_each(r, SHADOW_CLONE_NAMESPACES, enter_namespaces) &&
	       enter_each(r, SHADOW_CLONE_CGROUP, enter_cgroup) &&
	       enter_each(r, SHADOW_CLONE_ROOT, enter_root);
}

/* Takes back what the shadow changed of the process that it was forked from. */
static void undo_shadow(const struct descriptor_header *d)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	const struct descriptor_thread *t = descriptor_thread(d);
	uint32_t i;

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

	/* It ends with the shadow, which is asked about it. */
	raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!enter_container(&o->request) || !arrange_files(&o->request))
		raw_syscall(SYS_exit_group, SHADOW_CLONE_FAILED_STATUS);
	undo_shadow(o->descriptor);
	run_on(o->request.cpu);
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
	thread_go_on(t);
}

/* In which PID namespace the next clones are born: that of a process. */
static long bear_into(int pidfd)
{
	return raw_syscall(SYS_setns, pidfd, CLONE_NEWPID);
}

/* The pidfd of the process whose PID namespace a clone joins, or -1. */
static int birthplace(const struct clone_request *r)
{
	uint32_t i;

	for (i = 0; r->namespaces & CLONE_NEWPID && i < r->count; i++)
		if (r->numbers[i] == SHADOW_CLONE_NAMESPACES)
			return r->passed[i];
	return -1;
}

static int own_clone(struct page_source *source,
		     const struct clone_request *request)
{
	const struct own_memory *own = (struct own_memory *)source;
	const struct descriptor_thread *t = descriptor_thread(source->descriptor);
	uint64_t flags = CLONE_PIDFD;
	int born_into = birthplace(request);
	struct clone_orders *o;
	int pidfd = -1;
	long pid = 0;

	o = (void *)raw_syscall(SYS_mmap, 0, sizeof(*o), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((long)o < 0 && (long)o > -4096)
		return -ENOMEM;
	o->request = *request;
	o->descriptor = source->descriptor;
	if (t->tid_address)
		flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	if (born_into >= 0)
		pid = bear_into(born_into);
	if (!pid)
		pid = clone_onto(o->stack + sizeof(o->stack),
				 (void (*)(void *))clone_main, o, flags, &pidfd,
				 (void *)t->tid_address);
	if (born_into >= 0)
		bear_into(own->self);
	raw_syscall(SYS_munmap, o, sizeof(*o));
	return pid < 0 ? pid : pidfd;
}

/* What a per-CPU server is told by the shadow that forks it; as struct clone_orders. */
struct cpu_server_orders {
	struct own_memory own;
	int channel;
	char stack[SHADOW_STACK_SIZE] __attribute__((aligned(64)));
};

/* Serves the memory of this process until it is told to end. */
static void __attribute__((noreturn)) serve_memory(struct own_memory *own,
						   int channel)
{
	struct page_server *server;

	own->memory = raw_syscall(SYS_open, "/proc/self/mem", O_RDONLY | O_CLOEXEC);
	own->pagemap = raw_syscall(SYS_open, "/proc/self/pagemap",
				   O_RDONLY | O_CLOEXEC);
	own->self = raw_syscall(SYS_pidfd_open, raw_syscall(SYS_getpid), 0);
	server = page_server_create(&own->source, channel, own->page_size);
	if (own->memory >= 0 && own->pagemap >= 0 && server)
		page_server_run(server, -1, -1);
	shadow_exit();
}

/* Has none of the shadow's clients: each lives by the close of one stream. */
static void __attribute__((noreturn)) cpu_server_main(struct cpu_server_orders *o)
{
	struct trace *trace = &o->own.source.trace;
	long channel = raw_syscall(SYS_dup2, o->channel, 0);

	if (channel < 0)
		shadow_exit();
	if (trace->level)
		trace->fd = raw_syscall(SYS_dup2, trace->fd, 1);
	close_from(trace->level ? 2 : 1);
	trace->role = "per-CPU server";
	o->own.source.fork_cpu_server = NULL;
	serve_memory(&o->own, channel);
}

static int own_fork_cpu_server(struct page_source *source, int channel)
{
	struct cpu_server_orders *o;
	int pidfd = -1;
	long pid;

	o = (void *)raw_syscall(SYS_mmap, 0, sizeof(*o), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((long)o < 0 && (long)o > -4096)
		return -ENOMEM;
	o->own = *(const struct own_memory *)source;
	o->channel = channel;
	pid = clone_onto(o->stack + sizeof(o->stack),
			 (void (*)(void *))cpu_server_main, o, CLONE_PIDFD, &pidfd,
			 NULL);
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
			.fork_cpu_server = own_fork_cpu_server,
		},
		.page_size = arena->page_size,
	};
	struct descriptor_header *descriptor;
	long channel;

	close_from(0);
	raw_syscall(SYS_setsid);
	raw_syscall(SYS_prctl, PR_GET_NAME, arena->name, 0, 0, 0);
	raw_syscall(SYS_prctl, PR_SET_NAME, "mitosis-shadow", 0, 0, 0);
	channel = register_with_daemon(arena);
	if (channel < 0 || describe_self(arena, &descriptor))
		shadow_exit();
	own.source.descriptor = descriptor;
	trace_open(&own.source.trace, arena->trace_level, arena->daemon.sun_path,
		   "shadow", arena->handler_id);
	trace(&own.source.trace, TRACE_STEPS, "has described itself",
	      TRACE_NUMBER("vmas", descriptor->vma_count),
	      TRACE_NUMBER("bytes", descriptor->total_size));
	make_readable(descriptor);
	serve_memory(&own, channel);
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
