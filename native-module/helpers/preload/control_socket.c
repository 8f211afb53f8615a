// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/preload/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int control_socket_address(const char *path, struct sockaddr_un *address)
{
	if (*path != '/')
		return -EINVAL;
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	return 0;
}

/* What an earlier process has left there, which listens no more. */
static int remove_old(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool listens;
	struct stat st;

	if (fd < 0)
		return -errno;
	listens = !connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
		  errno != ECONNREFUSED;
	close(fd);
	if (lstat(address->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (listens)
		return -EADDRINUSE;
	return unlink(address->sun_path) ? -errno : 0;
}

static int bind_and_listen(int fd, const struct sockaddr_un *address)
{
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	if (chmod(address->sun_path, 0600) || listen(fd, 8))
		return -errno;
	return 0;
}

int control_socket_listen(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = bind_and_listen(fd, address);
	if (err == -EADDRINUSE) {
		err = remove_old(address);
		if (!err)
			err = bind_and_listen(fd, address);
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}

bool control_socket_may_ask(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (peer.uid == 0 || peer.uid == geteuid());
}
