/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared objects of a child: one memfd for each, filled before the child runs. They
 * are not left to page faults, because a child that drops pages of a shared mapping
 * (MADV_DONTNEED) must find them again, and one that removes them (MADV_REMOVE) must
 * not, and a userfaultfd tells the two in the same way.
 */
#ifndef LIB_SHARED_OBJECTS_H
#define LIB_SHARED_OBJECTS_H

#include <stdbool.h>

#include "lib/restore.h"

/*
 * Makes objects of the shared files that a parent has mapped for writing and that are not
 * here: those without one of `files`, the open file of each VMA. Tells so on standard
 * error. Returns 0, or -errno with a message if they are too large. A confined child has
 * none of these files, and private memory in their place. *copied: there are some.
 */
int shared_objects_take_files(struct descriptor_header *d, bool confined,
			      const int32_t *files, const char *what, bool *copied);

/* Bytes for the `open_files` of a plan that has so many of them before its objects. */
uint64_t shared_objects_room(const struct descriptor_header *d, uint32_t files);

/*
 * Makes the objects of a plan, with their bytes from `stream`, and has their VMAs map
 * them; they are among the plan's open files. Returns 0 or -errno with a message that names `what`.
 */
int shared_objects_create(struct restore_plan *plan, int stream, const char *what);

/* Closes them: the plan can be used again. */
void shared_objects_close(struct restore_plan *plan);

#endif /* LIB_SHARED_OBJECTS_H */
