// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/prepare_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/sized_struct.h"
#include "lib/stop_signal.h"
#include "proto/descriptor.h"

#define STOP_MS_DEFAULT 2000
#define STOP_MS_MAX	60000

/* Returns 1 for $MITOSIS_FILE_DIGEST=on, 0, or -EINVAL with a message. */
static int digest_by_environment(void)
{
	const char *text = secure_getenv("MITOSIS_FILE_DIGEST");

	if (!text || !*text || !strcmp(text, "off"))
		return 0;
	return !strcmp(text, "on")
		       ? 1
		       : fail(-EINVAL,
			      "MITOSIS_FILE_DIGEST must be on or off, got '%s'",
			      text);
}

int prepare_settings_init(struct prepare_settings *settings)
{
	int signal = stop_signal_by_environment();
	int digest = digest_by_environment();

	if (signal < 0)
		return signal;
	if (digest < 0)
		return digest;
	*settings = (struct prepare_settings){
		.file_digest = digest,
		.stop_ms = STOP_MS_DEFAULT,
		.stop_signal = signal,
	};
	return 0;
}

static int check(const struct mitosis_prepare_options *options)
{
	uint32_t i;
	int err = options->stop_signal ? stop_signal_check("the stop signal",
							   options->stop_signal)
				       : 0;

	if (err)
		return err;
	if (options->stop_ms > STOP_MS_MAX)
		return fail(-EINVAL,
			    "threads must stop within 1 to %u ms (0: %u), got %u",
			    STOP_MS_MAX, STOP_MS_DEFAULT, options->stop_ms);
	if (options->left_out_count > MITOSIS_LEFT_OUT_MAX)
		return fail(-E2BIG,
			    "a snapshot leaves out at most %u open files, got %u",
			    MITOSIS_LEFT_OUT_MAX, options->left_out_count);
	if (options->left_out_count && !options->left_out)
		return fail(-EINVAL,
			    "the %u open files that are left out have no numbers",
			    options->left_out_count);
	for (i = 0; i < options->left_out_count; i++)
		if (options->left_out[i] < (int32_t)DESCRIPTOR_FD_FIRST)
			return fail(-EINVAL,
				    "an open file that is left out must have a "
				    "number from %u on, got %d: the first ones are "
				    "the caller's of resume in any case",
				    DESCRIPTOR_FD_FIRST, options->left_out[i]);
	return 0;
}

int prepare_settings_take(struct prepare_settings *settings,
			  const struct mitosis_prepare_options *given)
{
	struct mitosis_prepare_options options;
	int err = sized_struct_read(given, &options, sizeof(options),
				    "options of prepare", "mitosis_prepare_options");

	if (!err)
		err = check(&options);
	if (!err)
		err = prepare_settings_init(settings);
	if (err)
		return err;
	if (options.stop_ms)
		settings->stop_ms = options.stop_ms;
	if (options.stop_signal)
		settings->stop_signal = options.stop_signal;
	settings->left_out_count = options.left_out_count;
	if (options.left_out_count)
		memcpy(settings->left_out, options.left_out,
		       options.left_out_count * sizeof(*options.left_out));
	return 0;
}
