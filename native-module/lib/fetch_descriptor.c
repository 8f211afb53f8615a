// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/fetch_descriptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cpu_features.h"
#include "lib/error.h"
#include "lib/stream.h"
#include "local/protocol.h"

/* MITOSIS_CPU_FEATURES=ignore is for programs that are known not to use the others. */
static int check_cpu(const struct descriptor_header *d, const char *what)
{
	const char *ignore = secure_getenv("MITOSIS_CPU_FEATURES");
	char missing[256];

	if (!cpu_features_missing(d->cpu_features, missing, sizeof(missing)) ||
	    (ignore && !strcmp(ignore, "ignore")))
		return 0;
	return fail(-EPROTO,
		    "%s was prepared on a CPU with features that this machine's "
		    "lacks (%s); prepare it on one like this, or set "
		    "MITOSIS_CPU_FEATURES=ignore if its parent does not use them",
		    what, missing);
}

int fetched_descriptor_check(const struct descriptor_header *d, uint64_t size,
			     const char *what)
{
	if (size >= sizeof(*d) && d->magic == DESCRIPTOR_MAGIC &&
	    d->version != DESCRIPTOR_VERSION)
		return fail(-EPROTONOSUPPORT,
			    "%s has a descriptor of version %u, and this program "
			    "reads version %u; use the same release for both",
			    what, d->version, DESCRIPTOR_VERSION);
	if (descriptor_check(d, size, sysconf(_SC_PAGESIZE)))
		return fail(-EBADMSG, "the descriptor of %s is not valid here",
			    what);
	return check_cpu(d, what);
}

int fetch_descriptor(int stream, const char *what,
		     struct descriptor_header **descriptor, uint64_t *size)
{
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_DESCRIPTOR,
	};
	struct descriptor_header *d = NULL;
	uint32_t length = 0;
	int err = stream_request(stream, &request, &length);

	if (!err) {
		d = malloc(length);
		err = d ? stream_receive(stream, d, length) : -ENOMEM;
	}
	if (err)
		fail(err, "the descriptor of %s cannot be fetched: %s", what,
		     strerror(-err));
	else
		err = fetched_descriptor_check(d, length, what);
	if (err) {
		free(d);
		return err;
	}
	*descriptor = d;
	*size = length;
	return 0;
}

void fetched_descriptor_count(const struct descriptor_header *d,
			      struct mitosis_contents *contents)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t i;

	contents->threads = d->thread_count;
	contents->files = d->fd_count;
	contents->mappings = d->vma_count;
	for (i = 0; i < d->vma_count; i++)
		contents->bytes += vmas[i].end - vmas[i].start;
}
