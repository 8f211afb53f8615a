/* SPDX-License-Identifier: Apache-2.0 */
/* Times of the steps of a resume: the fields of struct mitosis_child with these names. */
#ifndef LIB_RESUME_TIMES_H
#define LIB_RESUME_TIMES_H

#include <stdint.h>

/* CLOCK_MONOTONIC in ns; 0: not known. */
struct resume_times {
	uint64_t descriptor_ns, born_ns, files_ns, mapped_ns, go_ns;
};

#endif /* LIB_RESUME_TIMES_H */
