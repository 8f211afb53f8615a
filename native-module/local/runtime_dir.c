// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/runtime_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int runtime_dir_path(char path[RUNTIME_PATH_MAX])
{
	const char *asked = secure_getenv("MITOSIS_RUNTIME_DIR");
	const char *session = secure_getenv("XDG_RUNTIME_DIR");
	int n;

	if (asked && *asked)
		n = snprintf(path, RUNTIME_PATH_MAX, "%s", asked);
	else if (geteuid() == 0)
		n = snprintf(path, RUNTIME_PATH_MAX, "/run/mitosis");
	else if (session && *session)
		n = snprintf(path, RUNTIME_PATH_MAX, "%s/mitosis", session);
	else
		n = snprintf(path, RUNTIME_PATH_MAX, "/tmp/mitosis-%u", geteuid());
	if (n + sizeof("/" RUNTIME_SOCKET) > RUNTIME_PATH_MAX)
		return -ENAMETOOLONG;
	return path[0] == '/' ? 0 : -EINVAL;
}

int runtime_dir_ensure(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(path, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (st.st_uid != geteuid() && geteuid() != 0)
		return -EPERM;
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return -EACCES;
	return access(path, W_OK | X_OK) ? -errno : 0;
}

int runtime_trace_level(void)
{
	const char *text = secure_getenv("MITOSIS_TRACE");

	if (!text || !*text)
		return 0;
	if (text[0] < '0' || text[0] > '0' + RUNTIME_TRACE_LEVEL_MAX || text[1])
		return -EINVAL;
	return text[0] - '0';
}

void runtime_dir_address(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%.*s/%s",
		 (int)(sizeof(address->sun_path) - sizeof("/" RUNTIME_SOCKET)), path,
		 RUNTIME_SOCKET);
}
