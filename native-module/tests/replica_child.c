// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/replica_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "local/runtime_dir.h"
#include "tests/harness.h"

struct machine machine;
const char *connects_to = machine.address;
unsigned char *memory;
static char content; /* of the snapshot: tells two with one handler id apart */

static bool half_is_right(int half)
{
	int i;

	for (i = half * PAGES / 2; i < (half + 1) * PAGES / 2; i++)
		if (memory[i * PAGE] != (unsigned char)(content + i))
			return false;
	return true;
}

static void answer(const struct report *r)
{
	if (write(REPORT, r, sizeof(*r)) != sizeof(*r))
		_exit(98);
}

static void __attribute__((noreturn)) be_child(void)
{
	struct report r = { .pid = getpid(), .content = content };
	char what, again;

	alarm(60); /* if this test ends without it */
	if (read(ORDER, &what, 1) != 1)
		_exit(99);
	r.is_right =
		(what == 'p' || half_is_right(0)) && fcntl(ORDER + 2, F_GETFD) < 0;
	if (what == 'f') {
		/* Its first deed, when the pager may not know yet whose child it is. */
		r.forked = fork();
		if (r.forked == 0) {
			/* Until the child has ended. */
			if (read(ORDER, &again, 1) != 1)
				_exit(99);
			r.pid = getpid();
			r.is_right = half_is_right(1);
			answer(&r);
			_exit(0);
		}
	}
	answer(&r);
	if (what == 's')
		raise(SIGTERM);
	while (what == 'w' || what == 'p')
		pause();
	_exit(7);
}

struct mitosis *prepare(uint32_t id, char with)
{
	struct mitosis *there;
	pid_t self = getpid();
	int i;

	content = with;
	for (i = 0; i < PAGES; i++)
		memory[i * PAGE] = content + i;
	machine_enter(&machine);
	there = open_user();
	CHECK_EQ(mitosis_prepare(there, id), 0);
	if (getpid() != self || mitosis_nil(there) == -EBADF)
		be_child();
	machine_leave();
	memset(memory, 0, PAGES * PAGE);
	return there;
}

static struct mitosis *open_in(enum mitosis_resume_mode mode)
{
	const struct mitosis_resume_options options = { .mode = mode };
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	CHECK_EQ(mitosis_connect(device, MACHINE, connects_to), 0);
	return device;
}

struct mitosis *open_here(void)
{
	return open_in(MITOSIS_RESUME_REPLICA);
}

struct running start_in(uint32_t id, enum mitosis_resume_mode mode)
{
	struct running r;
	int to[2], from[2];

	CHECK(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC));
	fflush(stdout);
	r.proxy = fork();
	CHECK(r.proxy >= 0);
	if (r.proxy == 0) {
		struct mitosis *device = open_in(mode);

		dup2(to[0], ORDER);
		dup2(from[1], REPORT);
		close(to[1]);
		close(from[0]);
		mitosis_resume_remote(device, MACHINE, id);
		printf("no child: %s\n", mitosis_error());
		fflush(stdout);
		_exit(1);
	}
	/* Else no end of the child would be seen. */
	close(to[0]);
	close(from[1]);
	r.order = to[1];
	r.report = from[0];
	return r;
}

struct running start(uint32_t id)
{
	return start_in(id, MITOSIS_RESUME_REPLICA);
}

bool report_within(int fd, struct report *r, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK_EQ(poll(&p, 1, ms), 1);
	return read(fd, r, sizeof(*r)) == sizeof(*r);
}

struct report tell(const struct running *r, char what)
{
	struct report w;

	CHECK(write(r->order, &what, 1) == 1);
	CHECK(report_within(r->report, &w, PATIENCE_MS));
	CHECK(w.is_right);
	return w;
}

struct report tell_all(struct running *r)
{
	struct report w = tell(r, 'f');

	CHECK_EQ(status_within(r->proxy, PATIENCE_MS), 7 << 8);
	CHECK(write(r->order, "g", 1) == 1);
	CHECK(report_within(r->report, &w, PATIENCE_MS));
	CHECK(w.is_right);
	close(r->order);
	close(r->report);
	return w;
}

int end_of(struct running *r)
{
	int status = status_within(r->proxy, PATIENCE_MS);

	close(r->order);
	close(r->report);
	return status;
}

pid_t pager(void)
{
	return find_process("mitosis-pager", daemon_pid());
}

static pid_t last_replica;

pid_t replica(void)
{
	pid_t found = find_process("mitosis-replica", pager());

	if (found)
		last_replica = found;
	return found;
}

/* Of a pager. A replica's environment is memory that nothing has fetched: it does not tell. */
int replica_count(void)
{
	pid_t newest;

	return count_processes("mitosis-replica", pager(), &newest);
}

uint64_t pages_come(void)
{
	uint64_t by_tcp;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" RUNTIME_PAGES,
		 getenv("MITOSIS_RUNTIME_DIR"));
	fd = open(path, O_RDONLY);
	/* Its mitosisd has not been started yet. */
	if (fd < 0 && errno == ENOENT)
		return 0;
	CHECK(fd >= 0);
	CHECK(read(fd, &by_tcp, sizeof(by_tcp)) == sizeof(by_tcp));
	close(fd);
	return by_tcp;
}

/* It has a second thread for that only. */
bool fills(void)
{
	struct dirent *task;
	char path[64];
	int count = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pager());
	tasks = opendir(path);
	while (tasks && (task = readdir(tasks)))
		count += *task->d_name != '.';
	if (tasks)
		closedir(tasks);
	return count > 1;
}

struct held hold(uint32_t id)
{
	struct held h = { .running = start(id) };

	h.pid = tell(&h.running, 'p').pid;
	return h;
}

void release(struct held *h)
{
	kill(h->pid, SIGKILL);
	CHECK_EQ(end_of(&h->running), SIGKILL);
}

uint64_t read_all(uint32_t id)
{
	/* An idle mitosisd ends, and the next one counts from 0. */
	struct mitosis *here = open_here();
	uint64_t before = pages_come(), after;
	struct running r = start(id);
	struct report w = tell_all(&r);

	CHECK_SOON(!alive(w.pid), PATIENCE_MS);
	after = pages_come();
	mitosis_close(here);
	return after - before;
}

void check_nothing_left(void)
{
	CHECK_SOON(!pager(), PATIENCE_MS);
	CHECK_SOON(!last_replica || !alive(last_replica), PATIENCE_MS);
}

void drop(struct mitosis *there, uint32_t id)
{
	replica();
	CHECK_EQ(mitosis_unprepare(there, id), 0);
	mitosis_close(there);
	check_nothing_left();
}

void replica_children_begin(void)
{
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	machine = machine_start(MACHINE);
}
