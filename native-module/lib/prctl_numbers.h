/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of prctl(2) that are newer than the headers of some C libraries. */
#ifndef LIB_PRCTL_NUMBERS_H
#define LIB_PRCTL_NUMBERS_H

#include <sys/prctl.h>

/* Linux 6.3: no memory becomes executable that could be written to. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

/* Linux 6.4: pages of all memory may be merged. */
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

#endif /* LIB_PRCTL_NUMBERS_H */
