/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which open files a child gets: those of its caller that exec would keep. All others
 * are closed at the point of no return: the library's own, the launcher's, and what else
 * the caller has marked close-on-exec.
 */
#ifndef LIB_CHILD_FILES_H
#define LIB_CHILD_FILES_H

#include "lib/restore.h"

/* Numbers from here on are not expected to be a program's own. */
#define CHILD_FILES_LIFTED 1000u

/* Whether exec would keep an open file. */
bool child_file_survives(int fd);

/*
 * Moves an open file, by dup and close, to a number that the parent's program does not
 * expect. Returns the new one; the same where the limit of open files is too low.
 */
int child_files_lift(int fd);

/*
 * Lists the caller's files that are not close-on-exec, for all children of the plan.
 * Returns 0 or -errno with a message.
 */
int child_files_list(struct restore_plan *plan);

/*
 * Plans what the caller, which becomes a child, closes: all but its standard three, its
 * userfaultfd and lifeline, and those of the list that are still not close-on-exec; from
 * number `first` on.
 */
void child_files_plan(struct restore_plan *plan, uint32_t first);

#endif /* LIB_CHILD_FILES_H */
