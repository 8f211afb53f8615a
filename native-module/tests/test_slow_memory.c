// SPDX-License-Identifier: Apache-2.0
/*
 * A page of the parent's memory that its shadow has to wait for, as a userfaultfd of the parent's own serves it late:
 * only those wait who need it, children of this machine and another one's. A shadow that is killed or dropped
 * meanwhile leaves nothing behind.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/late_child.h"
#include "tests/machine.h"

#define PATIENCE_MS 15000
#define LONE	    0x5a /* each byte of the page that nobody has touched */
#define SPACES	    64	 /* that are served at a time, at most */
#define HELD	    64	 /* faults that wait */
#define LATE_PAGES  10	 /* more than a shadow has threads that wait for one */

/* Shared with what serves the memory. */
static volatile struct control {
	char late_pages[LATE_PAGES][PAGE];
	char lone_page[PAGE];
	uint32_t
		late; /* of the late pages, those that do not come until it is 0 again */
	uint32_t held; /* faults so far */
} * control;

static unsigned char *lone;

struct fault {
	int fd;
	uint64_t address;
};

static uint64_t address_of(uint32_t number)
{
	return (uintptr_t)memory + late_page(number) * PAGE;
}

/* The number of a late page; LATE_PAGES: the lone one. */
static uint32_t number_of(const struct fault *f)
{
	uint32_t i = 0;

	while (i < LATE_PAGES && f->address != address_of(i))
		i++;
	return i;
}

static void serve_fault(const struct fault *f)
{
	const uint32_t number = number_of(f);
	struct uffdio_copy copy = {
		.dst = f->address,
		.src = (uintptr_t)(number == LATE_PAGES
					   ? control->lone_page
					   : control->late_pages[number]),
		.len = PAGE,
	};

	/* Whoever waited may have ended. */
	ioctl(f->fd, UFFDIO_COPY, &copy);
}

/* Serves the memory, and what is forked of it, until its parent ends. */
static void __attribute__((noreturn)) serve(int fd)
{
	struct pollfd polled[SPACES] = { { .fd = fd, .events = POLLIN } };
	struct fault waiting[HELD];
	int count = 1, held = 0, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		poll(polled, count, held ? 1 : -1);
		while (held && !control->late)
			serve_fault(&waiting[--held]);
		for (i = 0; i < count; i++) {
			struct fault f = { .fd = polled[i].fd };
			struct uffd_msg m;

			if (polled[i].revents & (POLLERR | POLLHUP))
				polled[i].fd = -1;
			if (!(polled[i].revents & POLLIN) ||
			    read(polled[i].fd, &m, sizeof(m)) != sizeof(m))
				continue;
			if (m.event == UFFD_EVENT_FORK && count < SPACES)
				polled[count++] = (struct pollfd){
					.fd = m.arg.fork.ufd,
					.events = POLLIN,
				};
			if (m.event != UFFD_EVENT_PAGEFAULT)
				continue;
			f.address = m.arg.pagefault.address & ~(PAGE - 1);
			if (number_of(&f) < control->late && held < HELD) {
				waiting[held++] = f;
				__atomic_add_fetch(&control->held, 1,
						   __ATOMIC_SEQ_CST);
			} else {
				serve_fault(&f);
			}
		}
	}
}

static void register_memory(int fd, void *start, size_t size)
{
	struct uffdio_register r = {
		.range = { (uintptr_t)start, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	CHECK(!ioctl(fd, UFFDIO_REGISTER, &r));
}

/* Starts what serves the late page, and one that is the only page of its mapping. */
static pid_t begin_to_serve(void)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = UFFD_FEATURE_EVENT_FORK };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	uint32_t i;
	pid_t pid;

	CHECK(fd >= 0 && !ioctl(fd, UFFDIO_API, &api));
	lone = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(lone != MAP_FAILED);
	memset((void *)control->lone_page, LONE, PAGE);
	fill_memory();
	for (i = 0; i < LATE_PAGES; i++)
		memcpy((void *)control->late_pages[i], (void *)address_of(i), PAGE);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		serve(fd);
	for (i = 0; i < LATE_PAGES; i++)
		CHECK(!madvise((void *)address_of(i), PAGE, MADV_DONTNEED));
	register_memory(fd, memory, SIZE);
	register_memory(fd, lone, PAGE);
	close(fd);
	return pid;
}

static int part(void)
{
	return lone[0] == LONE && lone[PAGE - 1] == LONE ? obey() : wrong();
}

static struct mitosis *prepare_served(uint32_t handler_id)
{
	struct mitosis *device = open_user();
	pid_t self = getpid();

	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (getpid() != self)
		_exit(part());
	return device;
}

/* A child with a thread that waits for the page. */
static struct child start_at_late_page(void)
{
	const uint32_t held = control->held;
	struct child c;

	control->late = 1;
	c = start(-1);
	have_done(&c, 'l');
	CHECK_SOON(control->held > held, PATIENCE_MS);
	return c;
}

static void release(const struct child *children, int count)
{
	int i;

	control->late = 0;
	for (i = 0; i < count; i++) {
		have_done(&children[i], 'j');
		have_done(&children[i], 'm');
		tell(&children[i], 'e');
		CHECK_EQ(end(&children[i]), 0);
	}
}

static void others_go_on(const struct machine *machine)
{
	struct child children[5];
	int i;

	machine_enter(machine);
	children[0] = start_at_late_page();
	resume_mode = "clone";
	children[4] = start(-1);
	resume_mode = "lazy";
	have_done(&children[4], 'o');
	have_done(&children[4], 'l');
	have_done(&children[0], 'o');
	children[1] = start(-1);
	have_done(&children[1], 'o');
	have_done(&children[1], 'l');
	machine_leave();
	remote_address = machine->address;
	for (i = 2; i < 4; i++) {
		children[i] = start(-1);
		have_done(&children[i], 'o');
		have_done(&children[i], 'l');
	}
	remote_address = NULL;
	release(children, 5);
}

/* The page is asked for by another machine first. */
static void other_machine_waits(const struct machine *machine)
{
	struct child children[2];

	remote_address = machine->address;
	children[0] = start_at_late_page();
	remote_address = NULL;
	machine_enter(machine);
	children[1] = start(-1);
	have_done(&children[1], 'o');
	have_done(&children[1], 'l');
	machine_leave();
	have_done(&children[0], 'o');
	release(children, 2);
}

/* Each at another page, more than can be read at a time. */
static void many_wait(const struct machine *machine)
{
	const uint32_t held = control->held;
	struct child children[LATE_PAGES], other;
	int i;

	machine_enter(machine);
	control->late = LATE_PAGES;
	for (i = 0; i < LATE_PAGES; i++) {
		children[i] = start(-1);
		tell_number(&children[i], i);
	}
	CHECK_SOON(control->held >= held + LATE_PAGES / 2, PATIENCE_MS);
	other = start(-1);
	tell_number(&other, LATE_PAGES);
	has_read(&other);
	control->late = 0;
	for (i = 0; i < LATE_PAGES; i++)
		has_read(&children[i]);
	for (i = 0; i < LATE_PAGES; i++) {
		tell(&children[i], 'e');
		CHECK_EQ(end(&children[i]), 0);
	}
	have_done(&other, 'o');
	tell(&other, 'e');
	CHECK_EQ(end(&other), 0);
	machine_leave();
}

static void shadow_ends(const struct machine *machine, bool by_drop)
{
	struct mitosis *device;
	struct child c;
	pid_t shadow;

	machine_enter(machine);
	device = prepare_served(3);
	snapshot = "3";
	c = start_at_late_page();
	have_done(&c, 'o');
	shadow = find_process("mitosis-shadow", getpid());
	if (by_drop) {
		CHECK_EQ(mitosis_unprepare(device, 3), 0);
		/* It serves who needs it. */
		have_done(&c, 'm');
		kill(c.pid, SIGKILL);
	} else {
		CHECK(!kill(shadow, SIGKILL));
	}
	CHECK_EQ(end(&c), SIGKILL);
	CHECK_SOON(!alive(shadow), PATIENCE_MS);
	control->late = 0;
	snapshot = "1";
	mitosis_close(device);
	machine_leave();
}

int main(void)
{
	struct machine machine;
	struct mitosis *device;
	pid_t server;

	set_up("slow");
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(control != MAP_FAILED);
	server = begin_to_serve();
	machine = machine_start(atoi(REMOTE_ID));
	machine_enter(&machine);
	device = prepare_served(1);
	machine_leave();
	others_go_on(&machine);
	mitosis_close(device);
	machine_enter(&machine);
	device = prepare_served(1);
	machine_leave();
	other_machine_waits(&machine);
	mitosis_close(device);
	machine_enter(&machine);
	device = prepare_served(1);
	machine_leave();
	many_wait(&machine);
	mitosis_close(device);
	shadow_ends(&machine, true);
	shadow_ends(&machine, false);
	kill_and_reap(server);
	machine_stop(&machine);
	return 0;
}
