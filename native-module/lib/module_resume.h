/* SPDX-License-Identifier: Apache-2.0 */
/* Resume by the kernel module, of snapshots with threads, open files or a state. */
#ifndef LIB_MODULE_RESUME_H
#define LIB_MODULE_RESUME_H

#include "lib/resume.h"

/*
 * Becomes a child of the snapshot that the module has opened as `opened`, which this takes over.
 * Returns only -errno, with a message that names `what`; *refused is the module's errno, or 0.
 */
int module_resume(int opened, const struct resume_settings *settings,
		  const char *what, int *refused);

/* What is in an opened snapshot, which this takes over. Returns 0 or -errno with a message. */
int module_contents(int opened, struct mitosis_contents *contents);

#endif /* LIB_MODULE_RESUME_H */
