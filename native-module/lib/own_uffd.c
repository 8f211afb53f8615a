// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/own_uffd.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/foreign_uffd.h"
#include "lib/own_plan.h"
#include "local/userfaultfd.h"

/* That of a resumed child is served by another process. */
static bool is_of_child(int fd)
{
	const struct restore_plan *plan = own_plan();

	return plan && plan->uffd == fd;
}

int own_uffd_check_threads(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	int err = 0;

	while (d && !err && (entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && is_userfaultfd(fd) &&
		    !is_of_child(fd) && !foreign_uffd_is_deaf(fd))
			err = fail(
				-EOPNOTSUPP,
				"open file %d of this process is a userfaultfd that "
				"is told of forks, and its reader may be a thread, "
				"which stands still during prepare; have another "
				"process read it, and close it in this one",
				fd);
	}
	if (d)
		closedir(d);
	return err;
}
