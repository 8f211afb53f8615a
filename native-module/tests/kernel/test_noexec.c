// SPDX-License-Identifier: Apache-2.0
/*
 * What a parent executes lies on a file system that is mounted noexec after prepare: its child is
 * refused while it still has its own memory, or gets the snapshot's pages.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    76
#define PAGE	    4096
#define PATIENCE_MS 20000
#define MADE	    3
#define REFUSED	    5

static char base[] = "/tmp/mitosis-noexec-XXXXXX";

static char *map_code(void)
{
	char path[64], page[PAGE];
	char *code;
	int fd;

	snprintf(path, sizeof(path), "%s/code", base);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	memset(page, 'H', sizeof(page));
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, page, PAGE), PAGE);
	code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	CHECK(code != MAP_FAILED);
	close(fd);
	return code;
}

static int child_status(const struct mitosis_remote_req *remote)
{
	struct mitosis *device;
	pid_t pid;
	int fd, err;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid)
		return status_within(pid, PATIENCE_MS);
	if (remote) {
		fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
		ioctl(fd, MITOSIS_RESUME_REMOTE, remote);
		_exit(100);
	}
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_KERNEL, &device), 0);
	err = mitosis_resume_local(device, ID);
	printf("%d: %s\n", err, mitosis_error());
	fflush(stdout);
	_exit(err == -ENOEXEC && strstr(mitosis_error(), "noexec") ? REFUSED : 100);
}

static void set_noexec(unsigned long flag)
{
	CHECK_EQ(mount(NULL, base, NULL, MS_REMOUNT | MS_BIND | flag, NULL), 0);
}

int main(void)
{
	/* The module serves this machine to itself there; NULL: it does not. */
	const char *address = getenv("MITOSIS_TEST_MODULE_ADDRESS");
	const struct mitosis_remote_req remote = {
		address ? module_parameter("machine_id") : 0, ID
	};
	struct mitosis *device = open_kernel();
	pid_t self = getpid();
	char *code;

	need_namespaces();
	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(mkdtemp(base));
	CHECK(!mount("tmpfs", base, "tmpfs", 0, "size=1m,mode=0700"));
	code = map_code();
	if (address)
		CHECK_EQ(mitosis_connect(device, remote.machine_id, address), 0);
	else
		puts("another machine left out: needs MITOSIS_TEST_MODULE_ADDRESS");
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		_exit(code[1] == 'H' ? MADE : 4);
	CHECK_EQ(child_status(NULL), MADE << 8);
	set_noexec(MS_NOEXEC);
	CHECK_EQ(child_status(NULL), REFUSED << 8);
	if (address)
		CHECK_EQ(child_status(&remote), MADE << 8);
	set_noexec(0);
	CHECK_EQ(child_status(NULL), MADE << 8);
	mitosis_close(device);
	munmap(code, PAGE);
	CHECK(!umount(base) && !rmdir(base));
	return 0;
}
