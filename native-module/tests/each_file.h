/* SPDX-License-Identifier: Apache-2.0 */
/* Included behind a header that defines CHECK(): that of the tests or of the targets. */
#ifndef TESTS_EACH_FILE_H
#define TESTS_EACH_FILE_H

#include <dirent.h>
#include <stdlib.h>

/* Calls `look_at` with each open file of this process. */
static inline void each_file(void (*look_at)(int fd))
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;

	CHECK(d);
	while ((entry = readdir(d)))
		if (*entry->d_name != '.' && atoi(entry->d_name) != dirfd(d))
			look_at(atoi(entry->d_name));
	closedir(d);
}

#endif /* TESTS_EACH_FILE_H */
