/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open files of a parent, made again for one child, so that no two children share a
 * position or a pipe: all that may fail up to the point of no return. Numbers that the
 * caller passes on purpose (lib/child_files.h) stay the caller's.
 */
#ifndef LIB_REMAKE_FILES_H
#define LIB_REMAKE_FILES_H

#include "lib/remade_files.h"
#include "lib/restore.h"

/*
 * Finds what the child would be refused for whatever its rights are, before it gives any
 * up. Returns 0 or -errno with a message that names number, kind and path.
 */
int remake_files_check(const struct restore_plan *plan, const char *what);

/*
 * Makes the files, and moves what the plan needs, out of the way of their numbers. Returns 0
 * or -errno with a message that names number, kind and path; then nothing is left open.
 */
int remake_files(struct restore_plan *plan, int *stream, const char *what,
		 struct remade_files *files);

/* Moves another open file out of their way. Returns 0 or -errno with a message. */
int remade_files_lift(const struct remade_files *files, int32_t *fd);

/*
 * Puts the files to their numbers and closes all others below the floor that the child
 * does not keep; plans what the restorer closes above it. Ends the process if it fails.
 */
void remade_files_place(struct restore_plan *plan, struct remade_files *files);

/* Closes them, after an error. */
void remade_files_discard(struct remade_files *files);

#endif /* LIB_REMAKE_FILES_H */
