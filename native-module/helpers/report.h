/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a resumed parent program tells whoever launched it, over an inherited
 * pipe. Little-endian, 32 bytes; times are CLOCK_MONOTONIC in ns. If it failed,
 * its words on that follow in the same write, one line without its end.
 */
#ifndef HELPERS_REPORT_H
#define HELPERS_REPORT_H

#include <stdint.h>

#define REPORT_FD_DEFAULT	100
#define REPORT_WORDS_MAX	1500	/* bytes */

struct child_report {
	uint64_t resumed_ns;		/* first instruction after prepare */
	uint64_t execution_ns;		/* its work; 0 if it does none */
	uint64_t first_result_ns;	/* after the first page or the first call */
	uint64_t wrong;			/* pages or results that are not the parent's */
};

#endif /* HELPERS_REPORT_H */
