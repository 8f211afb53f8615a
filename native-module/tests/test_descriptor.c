// SPDX-License-Identifier: Apache-2.0
/*
 * The descriptor says what the process was: every VMA of maps except the
 * shadow's own, registers that point behind prepare, signals, layout; and it
 * grows with VMAs, not with pages.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/daemon_link.h"
#include "lib/fetch_descriptor.h"
#include "local/channel.h"
#include "proto/descriptor.h"
#include "tests/harness.h"

#define MANY	  2000
#define SOME	  300	      /* VMAs that are to fit into SOME_SIZE */
#define SOME_SIZE (64u << 10) /* bytes */

static void receive(int fd, void *buffer, size_t size)
{
	char *p = buffer;

	while (size) {
		ssize_t n = recv(fd, p, size, 0);

		CHECK(n > 0);
		p += n;
		size -= n;
	}
}

static struct descriptor_header *fetch(uint32_t handler_id)
{
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_DESCRIPTOR,
	};
	struct shadow_answer answer;
	struct daemon_link link;
	void *descriptor;
	int stream;

	CHECK_EQ(daemon_link_open(&link), 0);
	CHECK_EQ(daemon_link_attach(&link, handler_id, ATTACH_ONCE, 0, &stream, NULL,
				    NULL),
		 0);
	CHECK(send(stream, &request, sizeof(request), 0) == sizeof(request));
	receive(stream, &answer, sizeof(answer));
	CHECK_EQ(answer.status, 0);
	descriptor = malloc(answer.length);
	receive(stream, descriptor, answer.length);
	close(stream);
	daemon_link_close(&link);
	CHECK_EQ(((struct descriptor_header *)descriptor)->total_size,
		 answer.length);
	return descriptor;
}

static const struct descriptor_thread *thread_of(const struct descriptor_header *h)
{
	return (const void *)(h + 1);
}

static const struct descriptor_vma *vmas_of(const struct descriptor_header *h)
{
	return (const void *)(thread_of(h) + h->thread_count);
}

static const char *string_of(const struct descriptor_header *h, uint32_t string)
{
	return descriptor_string(h, string);
}

static const struct descriptor_vma *vma_at(const struct descriptor_header *h,
					   const void *address)
{
	uintptr_t a = (uintptr_t)address;
	uint32_t i;

	for (i = 0; i < h->vma_count; i++)
		if (vmas_of(h)[i].start <= a && a < vmas_of(h)[i].end)
			return &vmas_of(h)[i];
	return NULL;
}

static void handler(int signal)
{
	(void)signal;
}

static char initialised[8192] __attribute__((aligned(4096))) = { 1 };

/* Two neighbours, a hole, a VMA, and the vdso right behind it. */
static void covered_ranges(void)
{
	static const struct {
		uint64_t start, end;
		uint32_t kind;
	} ranges[] = {
		{ 0x10000, 0x12000, VMA_FILE },
		{ 0x12000, 0x14000, VMA_SNAPSHOT },
		{ 0x20000, 0x22000, VMA_EMPTY },
		{ 0x22000, 0x23000, VMA_KERNEL },
	};
	struct {
		struct descriptor_header header;
		struct descriptor_thread thread;
		struct descriptor_vma vmas[4];
	} d = { .header = { .thread_count = 1, .vma_count = 4 } };
	int i;

	for (i = 0; i < 4; i++) {
		d.vmas[i].start = ranges[i].start;
		d.vmas[i].end = ranges[i].end;
		d.vmas[i].kind = ranges[i].kind;
	}
	CHECK(descriptor_covers(&d.header, 0x10000, 0x4000));
	CHECK(descriptor_covers(&d.header, 0x11000, 0x2000));
	CHECK(descriptor_covers(&d.header, 0x13fff, 1));
	CHECK(descriptor_covers(&d.header, 0x20000, 0x2000));
	CHECK(descriptor_covers(&d.header, 0x18000, 0));
	CHECK(!descriptor_covers(&d.header, 0xffff, 2));
	CHECK(!descriptor_covers(&d.header, 0x10000, 0x4001));
	CHECK(!descriptor_covers(&d.header, 0x13000, 0xe000));
	CHECK(!descriptor_covers(&d.header, 0x21000, 0x1001));
	CHECK(!descriptor_covers(&d.header, 0x22000, 0x1000));
	CHECK(!descriptor_covers(&d.header, 0x10000, UINT64_MAX));
	CHECK(!descriptor_covers(&d.header, UINT64_MAX, 2));
	CHECK(!descriptor_covers(&d.header, UINT64_MAX - 1, 1));
}

/* A check of a copy with one change. */
static bool valid_with(const struct descriptor_header *h, size_t at, uint64_t bits)
{
	char *copy = malloc(h->total_size);
	uint64_t field;
	bool valid;

	memcpy(copy, h, h->total_size);
	memcpy(&field, copy + at, sizeof(field));
	field ^= bits;
	memcpy(copy + at, &field, sizeof(field));
	valid = !descriptor_check(copy, h->total_size, sysconf(_SC_PAGESIZE));
	free(copy);
	return valid;
}

#define FIELD(name) offsetof(struct descriptor_header, name)

/* What the kernel says of this process, and what no process can have. */
static void credentials(const struct descriptor_header *h)
{
	const struct descriptor_credentials *c = &h->credentials;
	uint32_t bit;

	CHECK_EQ(h->flags, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
				   ? DESCRIPTOR_NO_NEW_PRIVS
				   : 0);
	CHECK_EQ(c->securebits, prctl(PR_GET_SECUREBITS));
	CHECK(c->user_namespace);
	for (bit = 0; bit <= c->last_capability; bit++)
		CHECK_EQ(c->bounding >> bit & 1, prctl(PR_CAPBSET_READ, bit));
	CHECK(prctl(PR_CAPBSET_READ, bit) < 0);

	CHECK(valid_with(h, 0, 0));
	CHECK(!valid_with(h, FIELD(credentials.effective), 1ull << 63));
	CHECK(!valid_with(h, FIELD(credentials.permitted), 1ull << 63));
	CHECK(!valid_with(h, FIELD(credentials.inheritable), 1ull << 63));
	CHECK(!valid_with(h, FIELD(credentials.bounding), 1ull << 63));
	CHECK(!valid_with(h, FIELD(credentials.securebits), 1ull << 40));
	CHECK(!valid_with(h, FIELD(flags), 1ull << 31));
}

/* What a process that becomes a child writes before it has only its parent's rights. */
static void thread(const struct descriptor_header *h)
{
	const struct descriptor_thread *t = descriptor_thread(h);
	size_t at = (const char *)t - (const char *)h;
	uint64_t elsewhere = 1ull << 12; /* no process has memory there */

	CHECK(t->tid_address);
	CHECK(!valid_with(h, at + offsetof(struct descriptor_thread, tid_address),
			  t->tid_address ^ elsewhere));
	CHECK(!valid_with(h, at + offsetof(struct descriptor_thread, rseq_address),
			  t->rseq_address ^ elsewhere));
}

/* What can be asked, and what no process can have. */
static void process(const struct descriptor_header *h)
{
	const struct descriptor_process *p = &h->state;
	char path[4096];
	struct rlimit files;
	ssize_t n;

	CHECK_EQ(p->known, PROCESS_ALL);
	CHECK(!getrlimit(RLIMIT_NOFILE, &files));
	CHECK_EQ(p->limits[RLIMIT_NOFILE].soft, files.rlim_cur);
	CHECK_EQ(p->limits[RLIMIT_NOFILE].hard, files.rlim_max);
	CHECK(getcwd(path, sizeof(path)));
	CHECK(!strcmp(string_of(h, p->working_directory), path));
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	CHECK(n > 0);
	path[n] = '\0';
	CHECK(!strcmp(string_of(h, p->program), path));
	CHECK_EQ(p->timer_slack_ns, prctl(PR_GET_TIMERSLACK));
	CHECK_EQ(p->nice, getpriority(PRIO_PROCESS, 0));

	CHECK(!valid_with(h, FIELD(state.known), 1ull << 63));
	CHECK(!valid_with(h, FIELD(state.limits[0].soft), 1ull << 63) ||
	      p->limits[0].hard == RLIM_INFINITY);
	CHECK(!valid_with(h, FIELD(state.file_mode_mask), 01000));
	CHECK(!valid_with(h, FIELD(state.nice), 64));
	CHECK(!valid_with(h, FIELD(state.policy), 6));
	CHECK(!valid_with(h, FIELD(state.priority), 100));
	CHECK(!valid_with(h, FIELD(state.io_priority), 1 << 16));
	CHECK(!valid_with(h, FIELD(state.oom_score_adj), 1 << 12));
	CHECK(!valid_with(h, FIELD(state.merging), 2));
	CHECK(!valid_with(h, FIELD(state.execution), 4));
	CHECK(!valid_with(h, FIELD(state.working_directory), 1u << 30));
	CHECK(!valid_with(h, FIELD(state.program), 1));
	CHECK(!valid_with(h, FIELD(state.auxv_words), 1));
	CHECK(!valid_with(h, FIELD(state.auxv_words), 1 << 10));
	CHECK(valid_with(h, FIELD(state.fresh), FRESH_ALL));
	CHECK(!valid_with(h, FIELD(state.fresh), FRESH_ALL + 1));

	/* Of a process with one thread they are not needed. */
	CHECK_EQ(h->monotonic_ns, 0);
	CHECK_EQ(h->boottime_ns, 0);
	CHECK(!valid_with(h, FIELD(monotonic_ns), 1ull << 63));
	CHECK(!valid_with(h, FIELD(boottime_ns), (1ull << 62) + 1));
}

/* What another release has made is refused by its version, whatever else is in it. */
static void other_version(struct descriptor_header *h)
{
	CHECK_EQ(fetched_descriptor_check(h, h->total_size, "snapshot 1"), 0);
	h->version--;
	CHECK_EQ(fetched_descriptor_check(h, h->total_size, "snapshot 1"),
		 -EPROTONOSUPPORT);
	check_error_has("snapshot 1 has a descriptor of version ");
	check_error_has("use the same release for both");
	h->version++;
	h->thread_count = ~0u;
	CHECK_EQ(fetched_descriptor_check(h, h->total_size, "snapshot 1"), -EBADMSG);
	h->thread_count = 1;
}

/* What does not depend on where prepare was called. */
static void caller(const struct descriptor_header *h, const char *altstack,
		   size_t altstack_size)
{
	const struct descriptor_thread *t = thread_of(h);

	CHECK_EQ(t->tid, getpid());
	CHECK_EQ(t->fs_base, (uintptr_t)__builtin_thread_pointer());
	CHECK_EQ(t->altstack_base, (uintptr_t)altstack);
	CHECK_EQ(t->altstack_size, altstack_size);
	CHECK_EQ(t->signal_mask, 0);
	CHECK_EQ(t->mxcsr & 0xffc0, 0x1f80);
	CHECK_EQ(t->x87_control, 0x37f);
	CHECK(t->robust_list && t->robust_list_size == 24);
	CHECK(t->rsp % 16 == 0);
}

/* A descriptor grows with VMAs, not with pages; `size` is that of the first one. */
static void growing(struct mitosis *device, char *touched, uint64_t size)
{
	struct descriptor_header *h;
	uint32_t i, own_vmas;

	memset(touched, 1, 1 << 20);
	CHECK_EQ(mitosis_prepare(device, 1), 0);
	h = fetch(1);
	CHECK(h->total_size < size + 1024);
	own_vmas = h->vma_count;
	free(h);
	CHECK_EQ(mitosis_unprepare(device, 1), 0);

	/* Some more than that, as neighbours may become one. */
	for (i = own_vmas; i < SOME + 4; i++)
		CHECK(mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	CHECK_EQ(mitosis_prepare(device, 1), 0);
	h = fetch(1);
	printf("%u VMAs: %llu bytes\n", h->vma_count,
	       (unsigned long long)h->total_size);
	CHECK(h->vma_count >= SOME && h->vma_count < SOME + 16);
	CHECK(h->total_size <= SOME_SIZE);
	free(h);
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
}

static void many_vmas(struct mitosis *device)
{
	struct descriptor_header *h;
	const struct descriptor_vma *v;
	uint32_t i;
	char *many;

	many = mmap(NULL, MANY * 8192ul, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < MANY; i++) {
		many[i * 8192ul] = i;
		CHECK(!mprotect(many + i * 8192ul, 4096, PROT_READ));
	}
	CHECK_EQ(mitosis_prepare(device, 1), 0);
	h = fetch(1);
	CHECK(h->vma_count > 2 * MANY);
	for (i = 0; i < MANY; i++) {
		v = vma_at(h, many + i * 8192ul);
		CHECK(v && v->protection == PROT_READ && v->kind == VMA_SNAPSHOT);
		CHECK_EQ(v->end - v->start, 4096);
	}
	free(h);
}

int main(void)
{
	covered_ranges();
	static char altstack[16384];
	struct mitosis *device = open_user();
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	stack_t stack = { .ss_sp = altstack, .ss_size = sizeof(altstack) };
	struct descriptor_header *h;
	const struct descriptor_thread *t;
	const struct descriptor_vma *v;
	char *touched, *empty, *forbidden;
	uint64_t size;
	uint32_t i;

	touched = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	empty = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	forbidden =
		mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	touched[5000] = 1;
	initialised[5000] = 2;
	sigaction(SIGUSR1, &action, NULL);
	sigaltstack(&stack, NULL);

	CHECK_EQ(mitosis_prepare(device, 1), 0);
	h = fetch(1);
	CHECK_EQ(h->magic, DESCRIPTOR_MAGIC);
	CHECK_EQ(h->version, DESCRIPTOR_VERSION);
	CHECK_EQ(h->thread_count, 1);
	other_version(h);
	credentials(h);
	thread(h);
	process(h);
	CHECK_EQ(h->owner_pid, getpid());
	CHECK_EQ(h->layout.brk, (uintptr_t)sbrk(0));
	CHECK(h->layout.start_code && h->layout.start_stack && h->layout.env_end);
	CHECK_EQ(h->signals[SIGUSR1 - 1].handler, (uintptr_t)handler);
	CHECK(h->signals[SIGUSR1 - 1].flags & SA_RESTART);

	caller(h, altstack, sizeof(altstack));
	t = thread_of(h);
	/* The return address lies in main, shortly behind the call. */
	CHECK(t->rip > (uintptr_t)main && t->rip < (uintptr_t)main + 8192);
	CHECK_EQ(vma_at(h, (void *)t->rsp)->kind, VMA_SNAPSHOT);
	CHECK(!strcmp(string_of(h, vma_at(h, (void *)t->rsp)->name), "[stack]"));

	v = vma_at(h, touched);
	CHECK(v && v->kind == VMA_SNAPSHOT &&
	      v->protection == (PROT_READ | PROT_WRITE));
	v = vma_at(h, empty);
	CHECK(v && v->kind == VMA_EMPTY);
	CHECK_EQ(v->protection, PROT_READ | PROT_WRITE | PROT_EXEC);
	v = vma_at(h, forbidden);
	CHECK(v && v->protection == PROT_NONE);
	v = vma_at(h, main);
	CHECK(v && v->kind == VMA_FILE && v->inode);
	CHECK(strstr(string_of(h, v->name), "test_descriptor"));
	v = vma_at(h, initialised);
	CHECK(v && v->kind == VMA_SNAPSHOT);
	for (i = 1; i < h->vma_count; i++)
		CHECK(vmas_of(h)[i - 1].end <= vmas_of(h)[i].start);
	size = h->total_size;
	free(h);
	CHECK_EQ(mitosis_unprepare(device, 1), 0);

	growing(device, touched, size);
	many_vmas(device);
	mitosis_close(device);
	return 0;
}
