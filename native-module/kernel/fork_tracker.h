/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tells the overlay of every process that is forked, after its memory has been
 * copied and before it runs.
 */
#ifndef MITOSIS_FORK_TRACKER_H
#define MITOSIS_FORK_TRACKER_H

int mitosis_fork_tracker_init(void);
void mitosis_fork_tracker_exit(void);

#endif /* MITOSIS_FORK_TRACKER_H */
