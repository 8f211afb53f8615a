/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of how a device resumes, and setting it. Each returns 0 or -errno with a message. */
#ifndef LIB_RESUME_SETTINGS_H
#define LIB_RESUME_SETTINGS_H

#include "lib/resume.h"

/* Refuses what a child that the snapshot forks cannot have. */
int resume_settings_check(const struct resume_settings *settings);

int resume_settings_take_options(struct resume_settings *settings,
				 const struct mitosis_resume_options *options);

/* On an error the settings are as before. */
int resume_settings_take_all(struct resume_settings *settings,
			     const struct mitosis_child_options *options);

#endif /* LIB_RESUME_SETTINGS_H */
