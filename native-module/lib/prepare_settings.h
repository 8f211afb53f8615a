/* SPDX-License-Identifier: Apache-2.0 */
/* How a device takes snapshots: mitosis_set_prepare_options(). */
#ifndef LIB_PREPARE_SETTINGS_H
#define LIB_PREPARE_SETTINGS_H

#include <stdint.h>

#include "libmitosis.h"

/* Copied to shadows: no pointers. */
struct prepare_settings {
	uint32_t file_digest; /* 1: of private mappings' files */
	uint32_t stop_ms;     /* in which the other threads stop */
	uint32_t stop_signal; /* by which they do */
	uint32_t left_out_count;
	int32_t left_out[MITOSIS_LEFT_OUT_MAX]; /* numbers of open files */
};

/* The defaults, by the environment. Returns 0; or -EINVAL with a message. */
int prepare_settings_init(struct prepare_settings *settings);

/* Returns 0; or -errno with a message, and the settings are as before. */
int prepare_settings_take(struct prepare_settings *settings,
			  const struct mitosis_prepare_options *given);

#endif /* LIB_PREPARE_SETTINGS_H */
