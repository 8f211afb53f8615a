// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/module_resume.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/child_files.h"
#include "lib/error.h"
#include "lib/fetch_descriptor.h"

/* Reads all, or -errno. */
static int read_all(int fd, void *buffer, uint64_t size)
{
	uint64_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buffer + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPROTO;
		done += n;
	}
	return 0;
}

/* The module has checked it, and its total_size. */
static int read_descriptor(int opened, struct descriptor_header **descriptor)
{
	struct descriptor_header header, *d;
	int err = read_all(opened, &header, sizeof(header));

	if (err)
		return err;
	d = malloc(header.total_size);
	if (!d)
		return -ENOMEM;
	*d = header;
	err = read_all(opened, d + 1, header.total_size - sizeof(header));
	if (err) {
		free(d);
		return err;
	}
	*descriptor = d;
	return 0;
}

/* Nothing of it is for the restorer to do: the module does all at once, or refuses. */
static bool is_bare(const struct descriptor_header *d,
		    const struct resume_settings *settings)
{
	if (d->flags & DESCRIPTOR_SECCOMP)
		return true;
	return !descriptor_has_threads(d) && !d->fd_count && !d->state.known &&
	       !(d->flags & DESCRIPTOR_THREADS_MISSING) && !settings->own &&
	       !*settings->host_name;
}

int module_contents(int opened, struct mitosis_contents *contents)
{
	struct descriptor_header *d = NULL;
	int err = read_descriptor(opened, &d);

	close(opened);
	if (err)
		return fail(err, "the descriptor of a snapshot cannot be read: %s",
			    strerror(-err));
	fetched_descriptor_count(d, contents);
	free(d);
	return 0;
}

int module_resume(int opened, const struct resume_settings *settings,
		  const char *what, int *refused)
{
	const struct mitosis_kept_memory nothing = { 0 };
	struct descriptor_header *d = NULL;
	int err = read_descriptor(opened, &d);

	*refused = 0;
	if (err) {
		close(opened);
		return fail(err, "the descriptor of %s cannot be read: %s", what,
			    strerror(-err));
	}
	if (is_bare(d, settings)) {
		err = ioctl(opened, MITOSIS_IOC_BECOME, &nothing) ? -errno : 0;
		*refused = err;
		free(d);
		close(opened);
		return err;
	}
	err = fetched_descriptor_check(d, d->total_size, what);
	if (err) {
		free(d);
		close(opened);
		return err;
	}
	return resume_by_module(opened, d, settings, what);
}
