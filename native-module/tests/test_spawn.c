// SPDX-License-Identifier: Apache-2.0
/*
 * Children that a snapshot forks for a process which stays itself: by status and
 * by signal, with the files, namespaces and root directory that it names; and
 * what is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/control_group.h"
#include "tests/harness.h"

#define ID	    5
#define FILE_NUMBER 77 /* where a child reads its order and answers */
#define HOST_NAME   "spawned"

struct child_report {
	char host[32];
	pid_t pid;
	bool has_marker; /* /marker exists */
	bool has_stray;	 /* an open file that was not passed on */
	char group[128]; /* the line of version 2 in /proc/self/cgroup */
};

static int order[2], answer[2];

/* "" if there is none. */
static void read_group(char *line, int size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file && fgets(line, size, file) && strncmp(line, "0::", 3))
		;
	if (strncmp(line, "0::", 3))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void be_child(void)
{
	struct child_report w = { .pid = getpid() };
	char what;

	if (read(FILE_NUMBER, &what, 1) != 1)
		_exit(99);
	gethostname(w.host, sizeof(w.host));
	w.has_marker = !access("/marker", F_OK);
	w.has_stray = fcntl(FILE_NUMBER + 2, F_GETFD) >= 0;
	read_group(w.group, sizeof(w.group));
	if (write(FILE_NUMBER + 1, &w, sizeof(w)) != sizeof(w))
		_exit(98);
	if (what == 'e')
		_exit(7);
	if (what == 's')
		raise(SIGTERM);
	for (;;)
		pause();
}

static struct mitosis_attachment *attach(struct mitosis *device, uint32_t mode)
{
	const struct mitosis_resume_options options = { mode, 1 };
	struct mitosis_attachment *a;

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	CHECK_EQ(mitosis_attach_local(device, ID, &a), 0);
	return a;
}

static int files[] = { FILE_NUMBER, FILE_NUMBER + 1 };

static struct mitosis_spawn plain(void)
{
	return (struct mitosis_spawn){
		.pidfd = -1,
		.root = -1,
		.files = files,
		.file_count = 2,
	};
}

/* Returns the wait status; *w is the child's reply. */
static int spawn(struct mitosis_attachment *a, const struct mitosis_spawn *child,
		 char what, struct child_report *w)
{
	int status = -1;

	CHECK(write(order[1], &what, 1) == 1);
	CHECK_EQ(mitosis_spawn(a, child, &status), 0);
	CHECK(read(answer[0], w, sizeof(*w)) == sizeof(*w));
	return status;
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/* Signals do not end the wait. */
static void check_deadline(struct mitosis *device)
{
	struct mitosis_attachment *a = attach(device, MITOSIS_RESUME_CLONE);
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	struct mitosis_spawn child = plain();
	struct child_report w;
	int status;

	child.deadline_ms = 200;
	sigaction(SIGALRM, &action, NULL);
	CHECK(write(order[1], "w", 1) == 1);
	setitimer(ITIMER_REAL, &often, NULL);
	CHECK_EQ(mitosis_spawn(a, &child, &status), -ETIME);
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK(alarms);
	CHECK(read(answer[0], &w, sizeof(w)) == sizeof(w));
	CHECK_SOON(!alive(w.pid), 20000);
	mitosis_detach(a);
}

/* A process in namespaces of its own, with another host name. */
static int be_holder(void *unused)
{
	(void)unused;
	sethostname(HOST_NAME, strlen(HOST_NAME));
	CHECK(write(answer[1], "r", 1) == 1);
	for (;;)
		pause();
}

static void check_container(struct mitosis_attachment *a)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct mitosis_spawn child = plain();
	char marker[256], dir[200], ready;
	struct child_report w;
	pid_t holder;

	holder = clone(be_holder, stack + sizeof(stack),
		       CLONE_NEWUTS | CLONE_NEWPID | SIGCHLD, NULL);
	if (holder < 0 && errno == EPERM) {
		puts("namespaces and a root directory need root; not tried");
		return;
	}
	CHECK(holder > 0);
	CHECK(read(answer[0], &ready, 1) == 1);
	child.pidfd = syscall(SYS_pidfd_open, holder, 0);
	child.namespaces = CLONE_NEWUTS | CLONE_NEWPID;
	snprintf(dir, sizeof(dir), "%s.root", getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(!mkdir(dir, 0700));
	snprintf(marker, sizeof(marker), "%s/marker", dir);
	close(open(marker, O_CREAT | O_WRONLY, 0600));
	child.root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(child.pidfd >= 0 && child.root >= 0);

	CHECK_EQ(spawn(a, &child, 'e', &w), 7 << 8);
	CHECK(!strcmp(w.host, HOST_NAME));
	CHECK(w.pid < 10);
	CHECK(w.has_marker);
	/* The next one is where it was before. */
	child = plain();
	CHECK_EQ(spawn(a, &child, 'e', &w), 7 << 8);
	CHECK(strcmp(w.host, HOST_NAME));
	CHECK(w.pid >= 10 && !w.has_marker);
	kill(holder, SIGKILL);
	CHECK(waitpid(holder, NULL, 0) == holder);
	unlink(marker);
	rmdir(dir);
}

/* Whether the child was in the group of version 2 that this "/name" is the end of. */
static bool is_in(const struct child_report *w, const char *name)
{
	return strlen(w->group) > strlen(name) &&
	       !strcmp(w->group + strlen(w->group) - strlen(name), name);
}

static void check_group(struct mitosis_attachment *a)
{
	struct mitosis_spawn child = plain();
	char path[CONTROL_GROUP_PATH_MAX], *name;
	struct child_report w;
	int files[2], directory;

	if (!make_control_group(path))
		return;
	name = strrchr(path, '/');
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	files[0] = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	files[1] = directory;
	child.cgroups = files;
	child.cgroup_count = 2;
	child.flags = MITOSIS_SPAWN_INTO_CGROUP;
	CHECK_EQ(spawn(a, &child, 'e', &w), 7 << 8);
	CHECK(is_in(&w, name));
	/* Where it cannot be forked there, it enters it. */
	files[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(spawn(a, &child, 'e', &w), 7 << 8);
	CHECK(is_in(&w, name));
	close(files[1]);
	/* Forked there, it enters nothing. */
	close(files[0]);
	files[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	files[1] = directory;
	CHECK_EQ(spawn(a, &child, 'e', &w), 7 << 8);
	CHECK(is_in(&w, name));
	close(files[0]);
	close(directory);
	CHECK_SOON(!rmdir(path), 20000);
	/* The next one is where it was before. */
	child = plain();
	CHECK_EQ(spawn(a, &child, 'e', &w), 7 << 8);
	CHECK(!is_in(&w, name));
}

static void check_refusals(struct mitosis *device)
{
	struct mitosis_attachment *a = attach(device, MITOSIS_RESUME_CLONE);
	struct mitosis_spawn child = plain();
	int no_group = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int too_many[100] = { 0 };
	int status;

	child.cgroups = &no_group;
	child.cgroup_count = 1;
	CHECK_EQ(mitosis_spawn(a, &child, &status), 0);
	CHECK_EQ(status, 125 << 8);
	child.flags = MITOSIS_SPAWN_INTO_CGROUP;
	CHECK_EQ(mitosis_spawn(a, &child, &status), -EINVAL);
	check_error_has("its directory), got 0x1 and 1 files");
	child.flags = 2;
	CHECK_EQ(mitosis_spawn(a, &child, &status), -EINVAL);
	child.flags = 0;
	child.cgroups = too_many;
	child.cgroup_count = 100;
	CHECK_EQ(mitosis_spawn(a, &child, &status), -E2BIG);
	mitosis_detach(a);
	close(no_group);

	a = attach(device, MITOSIS_RESUME_LAZY);
	child = plain();
	CHECK_EQ(mitosis_spawn(a, &child, &status), -EINVAL);
	mitosis_detach(a);
}

int main(void)
{
	const struct mitosis_spawn child = plain();
	struct mitosis *device = open_user();
	struct mitosis_attachment *a;
	struct child_report w;
	int status, i;

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		be_child();
	CHECK(!pipe2(order, O_CLOEXEC) && !pipe2(answer, O_CLOEXEC));
	CHECK(dup2(order[0], FILE_NUMBER) >= 0);
	CHECK(dup2(answer[1], FILE_NUMBER + 1) >= 0);
	CHECK(dup2(answer[1], FILE_NUMBER + 2) >= 0);

	a = attach(device, MITOSIS_RESUME_CLONE);
	for (i = 0; i < 100; i++) {
		CHECK_EQ(spawn(a, &child, 'e', &w), 7 << 8);
		CHECK(w.pid != getpid() && !w.has_stray);
	}
	status = spawn(a, &child, 's', &w);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	check_container(a);
	check_group(a);
	check_deadline(device);
	check_refusals(device);

	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	CHECK_EQ(mitosis_spawn(a, &child, &status), -ESTALE);
	mitosis_detach(a);
	mitosis_close(device);
	return 0;
}
