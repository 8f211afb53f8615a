// SPDX-License-Identifier: Apache-2.0
/*
 * A shared mapping of a file on a file system whose numbers or names differ from what /proc/PID/maps
 * says, or that changes after prepare: what a child data reaches that file, or the child is refused
 * by the file's name. `test_mounted_files NAME` runs one case.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"

#define ID	    73
#define PAGE	    4096
#define CASE_MS	    60000
#define PATIENCE_MS 20000
/* Exit statuses of children. */
#define WRONG 3
#define TOLD  4

enum mount_case { OVERLAY, BIND, READ_ONLY, COVERED, MOUNT_CASES };

static const uint32_t modes[] = { MITOSIS_RESUME_LAZY, MITOSIS_RESUME_EAGER,
				  MITOSIS_RESUME_CLONE };
#define MODES (sizeof(modes) / sizeof(modes[0]))

static char base[64], file[PATH_MAX];
static char *shared;
static int data = -1; /* the file, open for the parent's mapping */

static void make_directory(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", base, name);
	CHECK(!mkdir(path, 0700));
}

static void make_file(const char *directory)
{
	char bytes[2 * PAGE];

	snprintf(file, sizeof(file), "%s/data", directory);
	data = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	CHECK(data >= 0);
	memset(bytes, 'f', sizeof(bytes));
	CHECK_EQ(pwrite(data, bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
}

static void __attribute__((noreturn)) be_child(void)
{
	char report[4096];
	bool right = shared[PAGE] == 'f';
	bool told = mitosis_resume_report(NULL, report, sizeof(report)) > 0 &&
		    strstr(report, "shared mappings of files: a copy");

	shared[0]++;
	_exit(!right || msync(shared, PAGE, MS_SYNC) ? WRONG : told ? TOLD : 0);
}

static struct mitosis *prepare(void)
{
	struct mitosis *device = open_user();
	char byte;

	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, data, 0);
	CHECK(shared != MAP_FAILED);
	close(data);
	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device))
		be_child();
	/* The shadow has described its files when it answers. */
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)shared, &byte, 1), 0);
	return device;
}

/* Each child adds one to the file's first byte; or, but for clones, has a copy and is told so. */
static void check_children(bool copied)
{
	unsigned int i;

	for (i = 0; i < MODES; i++) {
		bool copies = copied && modes[i] != MITOSIS_RESUME_CLONE;
		char before = shared[0];
		int status = run_in_mode(ID, PATIENCE_MS, modes[i]);

		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), copies ? TOLD : 0);
		CHECK_EQ(shared[0], before + !copies);
	}
}

static void need_mounts(void)
{
	need_userfaultfd();
	need_namespaces();
	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	strcpy(base, "/tmp/mitosis-mounted-XXXXXX");
	CHECK(mkdtemp(base));
	/* All that the case makes is gone with its mounts. */
	CHECK(!mount("mitosis", base, "tmpfs", 0, NULL));
}

static void on_overlay(void)
{
	char lower[PATH_MAX], upper[PATH_MAX], work[PATH_MAX], merged[PATH_MAX];
	char options[4 * PATH_MAX];
	struct mitosis *device;

	need_mounts();
	make_directory("lower", lower);
	make_directory("upper", upper);
	make_directory("work", work);
	make_directory("merged", merged);
	make_file(lower);
	close(data);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s",
		 lower, upper, work);
	if (mount("mitosis", merged, "overlay", 0, options))
		skip("needs overlayfs");
	make_file(merged);
	device = prepare();
	check_children(false);
	mitosis_close(device);
}

static void on_bind(void)
{
	char plain[PATH_MAX], bound[PATH_MAX];
	struct mitosis *device;

	need_mounts();
	make_directory("plain", plain);
	make_directory("bound", bound);
	CHECK(!mount(plain, bound, NULL, MS_BIND, NULL));
	make_file(bound);
	device = prepare();
	check_children(false);
	mitosis_close(device);
}

static void on_read_only(void)
{
	char plain[PATH_MAX];
	struct mitosis *device;

	need_mounts();
	make_directory("plain", plain);
	make_file(plain);
	device = prepare();
	CHECK(!mount(plain, plain, NULL, MS_BIND, NULL));
	CHECK(!mount(NULL, plain, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	check_children(true);
	mitosis_close(device);
}

static void on_covered(void)
{
	char plain[PATH_MAX];
	struct mitosis *device;

	need_mounts();
	make_directory("plain", plain);
	make_file(plain);
	device = prepare();
	CHECK(!mount("mitosis", plain, "tmpfs", 0, NULL));
	check_children(true);
	mitosis_close(device);
}

static const struct test_case cases[MOUNT_CASES] = {
	[OVERLAY] = { "overlay", on_overlay },
	[BIND] = { "bind", on_bind },
	[READ_ONLY] = { "read-only", on_read_only },
	[COVERED] = { "covered", on_covered },
};

int main(int argc, char **argv)
{
	return run_cases(cases, MOUNT_CASES, CASE_MS, argc > 1 ? argv[1] : NULL);
}
