// SPDX-License-Identifier: Apache-2.0
/*
 * The runtime directory's file system is full, or the control group's limit of
 * processes is reached: an errno and a message that names the next step, and
 * nothing is left behind. What runs already needs no room.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"
#include "tests/process_limit.h"

#define ID	    3
#define MACHINE	    7
#define PATIENCE_MS 10000

static char base[128];

static void check_refused(int got, int err, const char *message)
{
	if (got != err || !strstr(mitosis_error(), message)) {
		printf("%d, not %d with '%s': %s\n", got, err, message,
		       mitosis_error());
		exit(1);
	}
}

/* Fills the file system: all of its bytes, or all of its files. */
static void fill(bool files)
{
	static char block[4096];
	char path[160];
	int i, fd;

	for (i = 0; files; i++) {
		snprintf(path, sizeof(path), "%s/filler%d", base, i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	if (files) {
		CHECK_EQ(errno, ENOSPC);
		return;
	}
	snprintf(path, sizeof(path), "%s/filler", base);
	fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	CHECK_EQ(errno, ENOSPC);
	close(fd);
}

/* Makes room again. Returns how many files there are but those that mitosisd leaves. */
static int empty(void)
{
	DIR *d = opendir(base);
	struct dirent *entry;
	int others = 0;

	CHECK(d);
	while ((entry = readdir(d))) {
		if (!strncmp(entry->d_name, "filler", 6))
			CHECK(!unlinkat(dirfd(d), entry->d_name, 0));
		else if (entry->d_name[0] != '.' &&
			 strcmp(entry->d_name, "mitosisd.pid") &&
			 strcmp(entry->d_name, "children") &&
			 strcmp(entry->d_name, "pages") &&
			 strcmp(entry->d_name, "mitosisd.log"))
			others++;
	}
	closedir(d);
	return others;
}

/* The exit status of a child of the snapshot, 0 if it was right. */
static int child_status(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct mitosis *device = open_user();

		mitosis_resume_local(device, ID);
		puts(mitosis_error());
		fflush(stdout);
		_exit(100);
	}
	status = status_within(pid, PATIENCE_MS);
	return status;
}

static void prepare(struct mitosis *device)
{
	pid_t self = getpid();

	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		_exit(0);
}

static void file_system_full(bool files)
{
	struct mitosis *device;
	int processes = process_count();
	char foreground[640];

	printf("no room for %s\n", files ? "files" : "bytes");
	CHECK(!mkdir(base, 0700));
	CHECK(!mount("tmpfs", base, "tmpfs", 0, "size=64k,nr_inodes=16,mode=0700"));
	fill(files);
	check_refused(mitosis_open(MITOSIS_BACKEND_USER, &device), -ENOSPC,
		      "No space left");
	CHECK(strstr(mitosis_error(), "mitosisd.pid"));
	CHECK(strstr(mitosis_error(), "MITOSIS_RUNTIME_DIR"));
	snprintf(foreground, sizeof(foreground), "'%s' --foreground 2>/dev/null",
		 getenv("MITOSIS_DAEMON"));
	CHECK_EQ(WEXITSTATUS(system(foreground)), 100 + ENOSPC);
	CHECK_EQ(process_count(), processes);
	CHECK_EQ(empty(), 0);

	/* A snapshot takes no room there, nor does its child. */
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), 0);
	fill(files);
	prepare(device);
	CHECK_EQ(child_status(), 0);
	mitosis_close(device);
	CHECK_SOON(!daemon_pid(), PATIENCE_MS);
	CHECK_EQ(empty(), 0);
	/* Its files are open until its very end. */
	CHECK_SOON(!umount(base), PATIENCE_MS);
	CHECK(!rmdir(base));
}

/* Nor can the directory itself be made. */
static void no_directory(void)
{
	char path[160];
	struct mitosis *device;

	CHECK(!mkdir(base, 0700));
	CHECK(!mount("tmpfs", base, "tmpfs", 0, "size=64k,nr_inodes=16,mode=0700"));
	fill(true);
	snprintf(path, sizeof(path), "%s/below", base);
	setenv("MITOSIS_RUNTIME_DIR", path, 1);
	check_refused(mitosis_open(MITOSIS_BACKEND_USER, &device), -ENOSPC,
		      "MITOSIS_RUNTIME_DIR");
	setenv("MITOSIS_RUNTIME_DIR", base, 1);
	CHECK(!umount(base));
	CHECK(!rmdir(base));
}

static void full_disks(void)
{
	pid_t pid;

	if (!has_namespaces()) {
		puts("full_disks left out: " NAMESPACES_NEEDED);
		return;
	}
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		/* What is mounted here is gone with this process and its daemon. */
		CHECK(!unshare(CLONE_NEWNS));
		CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		file_system_full(false);
		file_system_full(true);
		no_directory();
		exit(0);
	}
	CHECK_EQ(status_within(pid, 3 * PATIENCE_MS), 0);
	rmdir(base);
}

/* By a process that is alone in its group, whose limit is one. */
static void limited_caller(const char *group)
{
	int processes = process_count();
	struct mitosis *device;

	check_refused(mitosis_open(MITOSIS_BACKEND_USER, &device), -EAGAIN,
		      "pids.max");
	/* One more is enough for mitosisd's first process, not for its second. */
	CHECK(write_number(group, "pids.max", 2));
	check_refused(mitosis_open(MITOSIS_BACKEND_USER, &device), -EAGAIN,
		      "pids.max");
	CHECK_EQ(process_count(), processes);
}

static void limited_parent(const char *group)
{
	struct mitosis *device = open_user();

	CHECK(write_number(group, "cgroup.procs", 0));
	check_refused(mitosis_prepare(device, ID), -EAGAIN, "pids.max");
	/* The handler id is free again. */
	CHECK_EQ(find_snapshot(device, ID).handler_id, 0);
	CHECK(write_number(group, "pids.max", 2));
	prepare(device);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
}

static void limited_daemon(const char *group)
{
	struct machine machine = machine_start(MACHINE);
	struct mitosis *here = open_user(), *device;

	machine_enter(&machine);
	device = open_user();
	machine_leave();
	prepare(device);
	CHECK_EQ(mitosis_connect(here, MACHINE, machine.address), 0);
	CHECK(write_number(group, "cgroup.procs", daemon_pid()));
	check_refused(mitosis_resume_remote(here, MACHINE, ID), -EAGAIN, "pids.max");
	mitosis_close(here);
	mitosis_close(device);
	machine_stop(&machine);
	CHECK_SOON(!daemon_pid(), PATIENCE_MS);
}

static void too_many_processes(void)
{
	char group[GROUP_PATH_MAX];
	pid_t pid;
	int part;

	if (!make_group(group)) {
		puts("too_many_processes left out: needs the right to make a "
		     "control "
		     "group with a limit to its processes (pids.max)");
		return;
	}
	for (part = 0; part < 3; part++) {
		fflush(stdout);
		CHECK(write_number(group, "pids.max", 1));
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			if (part == 0) {
				CHECK(write_number(group, "cgroup.procs", 0));
				limited_caller(group);
			} else if (part == 1) {
				limited_parent(group);
			} else {
				limited_daemon(group);
			}
			exit(0);
		}
		if (status_within(pid, 3 * PATIENCE_MS)) {
			rmdir(group);
			printf("too_many_processes: part %d failed\n", part);
			exit(1);
		}
	}
	CHECK_SOON(!rmdir(group), PATIENCE_MS);
}

int main(void)
{
	need_userfaultfd();
	snprintf(base, sizeof(base), "%s", getenv("MITOSIS_RUNTIME_DIR"));
	use_key("no_room");
	full_disks();
	too_many_processes();
	return 0;
}
