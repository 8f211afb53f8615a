// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/userfaultfd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool is_userfaultfd(int fd)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	return !strcmp(target, "anon_inode:[userfaultfd]");
}
