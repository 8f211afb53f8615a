// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kernel/callers.h"

const char *const caller_names[WHO_COUNT] = {
	"root",
	"root without capabilities",
	"a setuid program",
	"the user",
	"the user in another group",
	"another user",
	"root of a user namespace",
};

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	CHECK(!syscall(SYS_capset, &header, none));
}

static void be_user(uid_t uid, gid_t gid)
{
	CHECK(!setgroups(0, NULL) && !setresgid(gid, gid, gid) &&
	      !setresuid(uid, uid, uid));
}

void be(enum who who)
{
	switch (who) {
	case ROOT:
		break;
	case BARE_ROOT:
		drop_capabilities();
		break;
	case SETUID:
		CHECK(!setresuid(USER, 0, 0));
		break;
	case A_USER:
		be_user(USER, USER);
		break;
	case ITS_GROUP:
		be_user(USER, OTHER);
		break;
	case ANOTHER:
		be_user(OTHER, OTHER);
		break;
	case NS_ROOT:
		be_user(USER, USER);
		CHECK(!unshare(CLONE_NEWUSER));
		break;
	default:
		CHECK(false);
	}
	/* A change of ids made it undumpable; exec(2) would undo that. */
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
}

int open_device(void)
{
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		skip("needs the kernel module, as tests/qemu/run has it");
	CHECK(fd >= 0);
	return fd;
}

int error_of(int result)
{
	return result < 0 ? errno : 0;
}

uid_t user_of(enum who who)
{
	return who == ANOTHER					     ? OTHER
	       : who == A_USER || who == ITS_GROUP || who == NS_ROOT ? USER
								     : 0;
}

int exit_of(pid_t pid)
{
	int status = status_within(pid, PATIENT_MS);

	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static mode_t mode_before;

void permit_all_callers(void)
{
	struct stat st;

	close(open_device());
	if (getuid() != 0)
		skip("needs root");
	CHECK(!stat(MITOSIS_DEVICE_PATH, &st));
	mode_before = st.st_mode & 07777;
	CHECK(!chmod(MITOSIS_DEVICE_PATH, 0666));
}

void restore_permissions(void)
{
	CHECK(!chmod(MITOSIS_DEVICE_PATH, mode_before));
}
