// SPDX-License-Identifier: Apache-2.0
/*
 * mitosisd has as many peers as it takes: a pager cannot be added, so the request
 * fails with ENOMEM, and the daemon keeps neither its process nor its pidfd. Once
 * there is room, the same request succeeds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "local/channel.h"
#include "local/runtime_dir.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID	     3
#define MACHINE	     7
#define PEERS_MAX    4096 /* daemon/peer.c */
#define FILES_NEEDED (PEERS_MAX + 100)
#define PATIENCE_MS  10000
/* The daemon closes channels without a greeting after 5 s. */
#define FILL_MS 4000

static int channels[PEERS_MAX];

static int pidfd_count(pid_t pid)
{
	char path[64], target[64];
	struct dirent *entry;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	CHECK(d);
	while ((entry = readdir(d))) {
		ssize_t size = readlinkat(dirfd(d), entry->d_name, target,
					  sizeof(target) - 1);

		target[size > 0 ? size : 0] = '\0';
		n += strstr(target, "pidfd") != NULL;
	}
	closedir(d);
	return n;
}

/* Opens one channel more than the daemon, which has a device, takes. */
static void fill(void)
{
	struct timespec begin, end;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < PEERS_MAX; i++)
		channels[i] = dial_daemon(getenv("MITOSIS_RUNTIME_DIR"));
	CHECK_SOON(!channel_is_open(channels[PEERS_MAX - 1]), PATIENCE_MS);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if ((end.tv_sec - begin.tv_sec) * 1000 >= FILL_MS)
		skip("needs a machine that accepts 4096 connections within 4 s");
}

int main(void)
{
	struct mitosis_attachment *attachment;
	struct mitosis *here, *there;
	struct machine machine;
	pid_t self = getpid(), daemon;
	int pidfds, i;

	need_userfaultfd();
	need_open_files(FILES_NEEDED);
	use_key("full_daemon");
	machine = machine_start(MACHINE);
	here = open_user();
	machine_enter(&machine);
	there = open_user();
	machine_leave();
	CHECK_EQ(mitosis_prepare(there, ID), 0);
	if (getpid() != self)
		_exit(0);
	CHECK_EQ(mitosis_connect(here, MACHINE, machine.address), 0);

	daemon = daemon_pid();
	pidfds = pidfd_count(daemon);
	fill();
	CHECK_EQ(mitosis_attach_remote(here, MACHINE, ID, &attachment), -ENOMEM);
	CHECK_EQ(pidfd_count(daemon), pidfds);
	CHECK_SOON(!find_process("mitosis-pager", daemon), PATIENCE_MS);

	for (i = 0; i < PEERS_MAX; i++)
		close(channels[i]);
	CHECK_SOON(fd_count(daemon) < PEERS_MAX / 2, PATIENCE_MS);
	CHECK_EQ(mitosis_attach_remote(here, MACHINE, ID, &attachment), 0);
	mitosis_detach(attachment);
	mitosis_close(there);
	mitosis_close(here);
	machine_stop(&machine);
	return 0;
}
