/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a resumed mitosis-parent tells whoever launched it, over an inherited
 * pipe. Little-endian, 32 bytes; times are CLOCK_MONOTONIC in ns.
 */
#ifndef HELPERS_REPORT_H
#define HELPERS_REPORT_H

#include <stdint.h>

#define REPORT_FD_DEFAULT	100

struct child_report {
	uint64_t resumed_ns;		/* first instruction after prepare */
	uint64_t execution_ns;		/* touching; 0 if it does not touch */
	uint64_t first_result_ns;	/* after the first page */
	uint64_t wrong_pages;		/* that did not hold what the parent prepared */
};

#endif /* HELPERS_REPORT_H */
