// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/resume_settings.h"

#include <errno.h>
#include <stdio.h>

#include "lib/error.h"
#include "lib/path_map.h"

int resume_settings_check(const struct resume_settings *settings)
{
	const char *mode =
		settings->options.mode == MITOSIS_RESUME_CLONE ? "clone" : "replica";

	if (settings->confinement.confine && (settings->own || *settings->host_name))
		return fail(
			-EINVAL,
			"a confined child has the network, host name and /tmp of "
			"its container, and no other of its own");
	if (!resume_forks(settings))
		return 0;
	if (settings->confinement.confine)
		return fail(-EINVAL,
			    "a child of mode %s cannot be confined: the snapshot "
			    "forks it with its parent's rights; use lazy, eager or "
			    "cached",
			    mode);
	if (settings->own || *settings->host_name || settings->paths)
		return fail(-EOPNOTSUPP,
			    "a child of mode %s has its parent's network, host "
			    "name, /tmp and paths; use lazy, eager or cached",
			    mode);
	return 0;
}

int resume_settings_take_options(struct resume_settings *settings,
				 const struct mitosis_resume_options *options)
{
	uint32_t window = options->prefetch_pages;

	if (options->mode > MITOSIS_RESUME_AUTO)
		return fail(-EINVAL,
			    "the resume mode must be between 0 and %u, got %u",
			    MITOSIS_RESUME_AUTO, options->mode);
	if (window > MITOSIS_PREFETCH_PAGES_MAX || (window & (window - 1)))
		return fail(-EINVAL,
			    "the prefetch window must be a power of two from 1 to "
			    "%u pages, got %u",
			    MITOSIS_PREFETCH_PAGES_MAX, window);
	settings->options = *options;
	return 0;
}

int resume_settings_take_all(struct resume_settings *settings,
			     const struct mitosis_child_options *options)
{
	const struct mitosis_resume_options resume = {
		.mode = options->mode,
		.prefetch_pages = options->prefetch_pages,
	};
	struct resume_settings wanted = *settings;
	int err = resume_settings_take_options(&wanted, &resume);

	if (!err)
		err = path_map_create(options->paths, options->path_count,
				      &wanted.paths);
	if (err)
		return err;
	wanted.files = options->files;
	wanted.own = options->own;
	wanted.signals = options->signals;
	snprintf(wanted.host_name, sizeof(wanted.host_name), "%s",
		 options->host_name ? options->host_name : "");
	err = resume_settings_check(&wanted);
	path_map_put(err ? wanted.paths : settings->paths);
	if (!err)
		*settings = wanted;
	return err;
}
