// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/proxy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/stream.h"
#include "local/channel.h"

/* Numbers that a shadow can give a clone. */
#define NUMBER_MAX	4095

/* The files that an exec would keep. Returns how many or -errno. */
static int list_files(int32_t numbers[SHADOW_CLONE_FILES_MAX], int stream)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	uint32_t count = 0;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(d) || fd == stream ||
		    fd > NUMBER_MAX || fcntl(fd, F_GETFD) & FD_CLOEXEC)
			continue;
		if (count == SHADOW_CLONE_FILES_MAX) {
			closedir(d);
			return -E2BIG;
		}
		numbers[count++] = fd;
	}
	closedir(d);
	return count;
}

static int send_request(int stream, const int32_t *numbers, uint32_t count)
{
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_CLONE,
		.length = count * sizeof(numbers[0]),
	};
	struct iovec iov[2] = {
		{ &request, sizeof(request) },
		{ (void *)numbers, count * sizeof(numbers[0]) },
	};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(SHADOW_CLONE_FILES_MAX * sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t size = sizeof(request) + count * sizeof(numbers[0]);

	if (count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), numbers, count * sizeof(int));
	}
	return sendmsg(stream, &msg, MSG_NOSIGNAL) == (ssize_t)size ? 0 :
								      -ECONNRESET;
}

/* Ends this process as its child has ended. */
static void __attribute__((noreturn)) end_alike(int32_t status)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t all;

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(WTERMSIG(status), SIG_DFL);
		sigemptyset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		kill(getpid(), WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

int resume_by_clone(int stream, const char *what)
{
	int32_t numbers[SHADOW_CLONE_FILES_MAX], status;
	struct shadow_answer answer;
	int count = list_files(numbers, stream);
	int err = count < 0 ? count : send_request(stream, numbers, count);

	/* The child may run for as long as it likes. */
	if (!err)
		err = channel_set_deadline(stream, 0);
	if (!err)
		err = stream_receive(stream, &answer, sizeof(answer));
	if (!err && !answer.status && answer.length == sizeof(status) &&
	    !stream_receive(stream, &status, sizeof(status)))
		end_alike(status);
	if (!err)
		err = answer.status < 0 ? answer.status : -EPROTO;
	close(stream);
	if (err == -E2BIG)
		return fail(err, "a clone takes at most %u open files along; close "
				 "some, or set close-on-exec", SHADOW_CLONE_FILES_MAX);
	return fail(err, "the shadow of %s does not fork a child: %s", what,
		    strerror(-err));
}
