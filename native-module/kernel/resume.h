/* SPDX-License-Identifier: GPL-2.0 */
/* The calling process becomes a child. */
#ifndef MITOSIS_RESUME_H
#define MITOSIS_RESUME_H

#include "child.h"

/*
 * Takes the origin over. Returns 0 in the child, on its way to the parent's next
 * instruction; -errno if the caller is still what it was: -EINVAL it cannot
 * become another (threads, shared memory), -EPROTO the origin does not fit this
 * machine, -ENOMEM. Later failures kill it, with a message.
 */
int mitosis_resume(struct origin *origin, const struct mitosis_options *options);

#endif /* MITOSIS_RESUME_H */
