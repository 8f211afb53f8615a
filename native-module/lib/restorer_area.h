/* SPDX-License-Identifier: Apache-2.0 */
/* Where the restorer runs while it replaces all other memory: its layout is in restore_plan.h. */
#ifndef LIB_RESTORER_AREA_H
#define LIB_RESTORER_AREA_H

#include "lib/restore.h"

/* Maps memory that neither this process nor the parent uses; NULL if there is none. */
char *restorer_area_map(const struct descriptor_header *parent, uint64_t size);

/* Plans to unmap everything but that area and, if it is not moved, the vdso. */
void restorer_area_plan_gaps(struct restore_plan *plan);

#endif /* LIB_RESTORER_AREA_H */
