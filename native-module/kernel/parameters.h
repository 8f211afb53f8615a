/* SPDX-License-Identifier: GPL-2.0 */
/* What is set when the module is loaded, and for how a file resumes. */
#ifndef MITOSIS_PARAMETERS_H
#define MITOSIS_PARAMETERS_H

#include <linux/types.h>

#include "uapi/mitosis.h"

#define PREFETCH_PAGES_MAX	512u
#define DEADLINE_MS_MAX		3600000u

extern unsigned int mitosis_machine_id;
extern char *mitosis_listen;		/* tcp://host:port; empty: no server */
extern char *mitosis_key_file;
extern char *mitosis_auth;		/* "key" or "none" */
extern bool mitosis_private_network;
extern bool mitosis_selftest;

/* Options with the module's own in place of 0. */
struct mitosis_options mitosis_options_default(void);

/* The module's deadline for waits that belong to no file. */
unsigned int mitosis_deadline_ms(void);

/* Checks what a caller wants and fills in the rest. Returns 0 or -EINVAL. */
int mitosis_options_check(struct mitosis_options *options);

#endif /* MITOSIS_PARAMETERS_H */
