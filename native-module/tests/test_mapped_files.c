// SPDX-License-Identifier: Apache-2.0
/*
 * The files that a parent has mapped, when a child comes: what is no longer a regular
 * file is not opened, what has been written to since is not mapped, and nothing outside a container's root directory is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	     73
#define PAGE	     4096
#define PATIENCE_MS  20000
#define USER	     54321 /* of confined children */
#define GROUP	     54322 /* another one */
#define WRONG_STATUS 3
#define FROM_FILE    (4 << 8) /* wait status of a child that has mapped it again */

static char base[64], file[80], other[80], root[80];
static char *shared, *private;
static char *code;  /* executable; MAP_FAILED where files cannot be executed */
static bool tells;  /* children tell where their private mapping comes from */
static gid_t group; /* that may read the file, too; 0: none */

static void make_file(const char *path, char byte)
{
	char bytes[PAGE];
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	memset(bytes, byte, sizeof(bytes));
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
}

static char first_byte(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char byte;

	CHECK(fd >= 0);
	CHECK_EQ(read(fd, &byte, 1), 1);
	close(fd);
	return byte;
}

static void *map_as(int protection, int flags)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	void *p = mmap(NULL, PAGE, protection, flags, fd, 0);

	CHECK(p != MAP_FAILED || protection & PROT_EXEC);
	close(fd);
	return p;
}

static void *map(int flags)
{
	return map_as(PROT_READ | PROT_WRITE, flags);
}

static bool is_of_file(const void *address)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end, inode;
	char line[PATH_MAX + 128];

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &start, &end, &inode) ==
			    3 &&
		    start <= (uintptr_t)address && (uintptr_t)address < end)
			return inode != 0;
	return false;
}

/* In each child: the parent's bytes, of which it changes one. */
static struct mitosis *prepare(void)
{
	struct mitosis *device = open_user();
	pid_t self = getpid();
	char byte;

	make_file(file, 'H');
	if (group)
		CHECK(!chown(file, 0, group) && !chmod(file, 0640));
	shared = map(MAP_SHARED);
	private = map(MAP_PRIVATE);
	code = map_as(PROT_READ | PROT_EXEC, MAP_PRIVATE);
	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() == self) {
		/* The shadow has described itself, and these files, when it answers. */
		CHECK_EQ(mitosis_read(device, ID, (uintptr_t)&self, &byte, 1), 0);
		return device;
	}
	if (shared[1] != 'H' || private[1] != 'H' ||
	    (code != MAP_FAILED && code[1] != 'H'))
		_exit(WRONG_STATUS);
	if (tells)
		_exit(is_of_file(private) ? FROM_FILE >> 8 : 0);
	shared[0] = 'C';
	_exit(shared[0] == 'C' && private[PAGE - 1] == 'H' ? 0 : WRONG_STATUS);
}

static void forget(struct mitosis *device)
{
	mitosis_close(device);
	munmap(shared, PAGE);
	munmap(private, PAGE);
	if (code != MAP_FAILED)
		munmap(code, PAGE);
	unlink(file);
	unlink(other);
}

static int keep_all(void *unused)
{
	(void)unused;
	return 0;
}

/* Has children of the device confined, of a caller that is in the file's group. */
static void be_in_group(struct mitosis *device)
{
	const struct mitosis_confinement confinement = { keep_all, NULL, USER,
							 USER };

	CHECK(!setgroups(1, &group));
	CHECK_EQ(mitosis_set_confinement(device, &confinement), 0);
}

/* The exit status of a child, by an attachment or not. */
static int child_status(uint32_t mode, bool attached)
{
	const struct mitosis_resume_options options = { mode, 64 };
	struct mitosis_attachment *attachment;
	struct mitosis *device;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid)
		return status_within(pid, PATIENCE_MS);
	device = open_user();
	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	if (group)
		be_in_group(device);
	if (!attached)
		mitosis_resume_local(device, ID);
	else if (!mitosis_attach_local(device, ID, &attachment))
		mitosis_resume_attached(attachment);
	puts(mitosis_error());
	fflush(stdout);
	_exit(100);
}

enum replacement {
	A_FIFO,
	A_LINK_TO_A_FIFO,
	A_DEVICE,
	A_LINK_TO_A_DEVICE,
	A_DIRECTORY,
	ANOTHER_FILE,
	REPLACEMENTS,
};

/* Puts something else at the path of the mapped file. False without the right. */
static bool replace(enum replacement kind)
{
	CHECK(!unlink(file));
	switch (kind) {
	case A_FIFO:
		return !mkfifo(file, 0600);
	case A_LINK_TO_A_FIFO:
		return !mkfifo(other, 0600) && !symlink(other, file);
	case A_DEVICE:
		return !mknod(file, S_IFCHR | 0600, makedev(1, 5));
	case A_LINK_TO_A_DEVICE:
		return !mknod(other, S_IFCHR | 0600, makedev(1, 5)) &&
		       !symlink(other, file);
	case A_DIRECTORY:
		return !mkdir(file, 0700);
	default:
		make_file(file, 'O');
		return true;
	}
}

static void replaced(enum replacement kind)
{
	const uint32_t modes[] = { MITOSIS_RESUME_LAZY, MITOSIS_RESUME_EAGER,
				   MITOSIS_RESUME_CLONE };
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct mitosis *device = prepare();
	char events[512];
	size_t i;

	CHECK(watch >= 0);
	if (!replace(kind)) {
		printf("replacement %d left out: needs the right to make devices\n",
		       kind);
		forget(device);
		close(watch);
		return;
	}
	CHECK(inotify_add_watch(watch, file, IN_OPEN) >= 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		CHECK_EQ(child_status(modes[i], false), 0);
		CHECK_EQ(child_status(modes[i], true), 0);
	}
	if (kind != ANOTHER_FILE)
		CHECK(read(watch, events, sizeof(events)) < 0 && errno == EAGAIN);
	close(watch);
	rmdir(file);
	forget(device);
}

/* The file has been written to since, or only looks like it, as another disk's may. */
static void changed(void)
{
	const struct timespec past[] = { { 1, 0 }, { 1, 0 } };
	struct mitosis *device;

	tells = true;
	device = prepare();
	CHECK_EQ(child_status(MITOSIS_RESUME_LAZY, false), FROM_FILE);
	CHECK_EQ(child_status(MITOSIS_RESUME_EAGER, true), FROM_FILE);
	CHECK(!utimensat(AT_FDCWD, file, past, 0));
	CHECK_EQ(child_status(MITOSIS_RESUME_LAZY, false), 0);
	CHECK_EQ(child_status(MITOSIS_RESUME_EAGER, true), 0);
	forget(device);
	tells = false;
}

/* Children that may use the rights of a user get no file by their caller's groups. */
static void of_a_group(void)
{
	struct mitosis *device;

	if (geteuid()) {
		puts("groups left out: need root");
		return;
	}
	tells = true;
	group = GROUP;
	CHECK(!chown(base, 0, group) && !chmod(base, 0750));
	device = prepare();
	CHECK_EQ(child_status(MITOSIS_RESUME_LAZY, false), 0);
	CHECK_EQ(child_status(MITOSIS_RESUME_EAGER, true), 0);
	forget(device);
	/* The user itself may. */
	group = USER;
	CHECK(!chown(base, USER, group));
	device = prepare();
	CHECK_EQ(child_status(MITOSIS_RESUME_LAZY, false), FROM_FILE);
	forget(device);
	group = 0;
	tells = false;
}

/* What the launcher says of a child in the root directory. */
static void launch(const char *mode, char *line, size_t size)
{
	char command[PATH_MAX + 300];
	FILE *f;

	snprintf(
		command, sizeof(command),
		"(echo launch; echo quit) | '%.*s/mitosis-launcher' --handler-id %d "
		"--mode %s --root %s --cgroup none --driven 2>%s",
		(int)(strrchr(getenv("MITOSIS_DAEMON"), '/') -
		      getenv("MITOSIS_DAEMON")),
		getenv("MITOSIS_DAEMON"), ID, mode, root, other);
	f = popen(command, "re");
	CHECK(f);
	CHECK(fgets(line, size, f));
	printf("%s: %s", mode, line);
	CHECK(fgets(line, size, f));
	printf("%s: %s", mode, line);
	pclose(f);
}

/* What the launcher or the child has said on standard error; it is removed. */
static bool has_told_of_copy(void)
{
	char expected[200], line[1024];
	FILE *f = fopen(other, "re");
	bool told = false;

	CHECK(f);
	snprintf(expected, sizeof(expected), "mitosis: '%s', which the parent of ",
		 file);
	while (fgets(line, sizeof(line), f))
		told |= !strncmp(line, expected, strlen(expected)) &&
			strstr(line, "has mapped for writing, is not here");
	fclose(f);
	CHECK(!unlink(other));
	return told;
}

/* `same`: the file of the parent is in the root directory, too. */
static void in_root(const char *mode, bool same)
{
	struct mitosis *device = prepare();
	char inside[200], line[1024];

	snprintf(inside, sizeof(inside), "%s%s", root, file);
	make_file(inside, 'R');
	if (same)
		CHECK(!mount(file, inside, NULL, MS_BIND, NULL));
	launch(mode, line, sizeof(line));
	CHECK(!strncmp(line, "ok startup", 10));
	CHECK_EQ(has_told_of_copy(), !same);
	CHECK_EQ(first_byte(inside), same ? 'C' : 'R');
	CHECK_EQ(first_byte(file), same ? 'C' : 'H');
	if (same)
		CHECK(!umount(inside));
	CHECK(!unlink(inside));
	forget(device);
}

static void roots(void)
{
	char path[200];

	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("tmpfs", root, "tmpfs", 0, "size=1m,mode=0700"));
	snprintf(path, sizeof(path), "%s/proc", root);
	CHECK(!mkdir(path, 0700) && !mount("/proc", path, NULL, MS_BIND, NULL));
	snprintf(path, sizeof(path), "%s/tmp", root);
	CHECK(!mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s%s", root, base);
	CHECK(!mkdir(path, 0700));
	in_root("lazy", false);
	in_root("eager", false);
	in_root("clone", false);
	in_root("lazy", true);
	in_root("clone", true);
}

static void remount(unsigned long flags)
{
	CHECK_EQ(mount(NULL, base, NULL, MS_REMOUNT | MS_BIND | flags, NULL), 0);
}

/* A child whose files have been opened when their mount becomes noexec. */
static int status_of_attached_before(uint32_t mode)
{
	const struct mitosis_resume_options options = { mode, 64 };
	struct mitosis_attachment *attachment;
	struct mitosis *device;
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		device = open_user();
		CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
		CHECK_EQ(mitosis_attach_local(device, ID, &attachment), 0);
		remount(MS_NOEXEC);
		mitosis_resume_attached(attachment);
		puts(mitosis_error());
		fflush(stdout);
		_exit(100);
	}
	status = status_within(pid, PATIENCE_MS);
	remount(0);
	return status;
}

/* What the parent executes lies where its children may not execute files. */
static void on_noexec_mount(void)
{
	struct mitosis *device;

	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount(base, base, NULL, MS_BIND, NULL));
	device = prepare();
	if (code == MAP_FAILED)
		puts("noexec left out: needs a directory without it");
	CHECK_EQ(status_of_attached_before(MITOSIS_RESUME_LAZY), 0);
	CHECK_EQ(status_of_attached_before(MITOSIS_RESUME_EAGER), 0);
	remount(MS_NOEXEC);
	CHECK_EQ(child_status(MITOSIS_RESUME_LAZY, false), 0);
	CHECK_EQ(child_status(MITOSIS_RESUME_EAGER, true), 0);
	CHECK_EQ(child_status(MITOSIS_RESUME_CLONE, false), 0);
	remount(0);
	forget(device);
}

/* In a process that may have its own mounts. */
static void with_mounts(void (*part)(void))
{
	pid_t pid;

	if (!has_namespaces()) {
		puts("mounts left out: " NAMESPACES_NEEDED);
		return;
	}
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		part();
		exit(0);
	}
	CHECK_EQ(status_within(pid, 3 * PATIENCE_MS), 0);
}

int main(void)
{
	enum replacement kind;

	need_userfaultfd();
	strcpy(base, "/tmp/mitosis-mapped-XXXXXX");
	CHECK(mkdtemp(base));
	snprintf(file, sizeof(file), "%s/file", base);
	snprintf(other, sizeof(other), "%s/other", base);
	snprintf(root, sizeof(root), "%s/root", base);
	CHECK(!mkdir(root, 0700));
	for (kind = 0; kind < REPLACEMENTS; kind++)
		replaced(kind);
	changed();
	of_a_group();
	with_mounts(roots);
	with_mounts(on_noexec_mount);
	CHECK(!rmdir(root) && !rmdir(base));
	return 0;
}
