/* SPDX-License-Identifier: GPL-2.0 */
/* An open file of a snapshot: its descriptor is read, and its child is made, by it. */
#ifndef MITOSIS_OPENED_H
#define MITOSIS_OPENED_H

struct mitosis_options;
struct origin;

/*
 * Takes the origin over. Returns the number of an open file of the calling process,
 * close-on-exec, or -errno.
 */
int mitosis_opened_create(struct origin *origin, const struct mitosis_options *options);

#endif /* MITOSIS_OPENED_H */
