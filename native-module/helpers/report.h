/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a resumed parent program reports to its launcher, over an inherited
 * pipe. Little-endian, 32 bytes; times are CLOCK_MONOTONIC in ns. struct child_times may follow in the
 * same write. If it failed, an error message follows there, without a newline.
 */
#ifndef HELPERS_REPORT_H
#define HELPERS_REPORT_H

#include <stdint.h>

#define REPORT_FD_DEFAULT  100
#define REPORT_MESSAGE_MAX 1500 /* bytes */

struct child_report {
	uint64_t resumed_ns;	  /* first instruction after prepare */
	uint64_t execution_ns;	  /* its work; 0 if it does none */
	uint64_t first_result_ns; /* after the first page or the first call */
	uint64_t wrong;		  /* pages or results that are not the parent's */
};

/* No text: "MT" and a control character. */
#define REPORT_TIMES_MAGIC 0x73656d697418544dull

/* What a child was told by the library: struct mitosis_child. */
struct child_times {
	uint64_t magic;
	uint64_t descriptor_ns, born_ns, files_ns, mapped_ns, go_ns;
};

#endif /* HELPERS_REPORT_H */
