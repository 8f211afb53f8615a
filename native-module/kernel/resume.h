/* SPDX-License-Identifier: GPL-2.0 */
/* The calling process becomes a child. */
#ifndef MITOSIS_RESUME_H
#define MITOSIS_RESUME_H

#include "child.h"

/*
 * Takes over the origin. Returns 0 in the child, which continues at the parent's
 * next instruction; -errno if the caller is unchanged: -EINVAL it has threads or
 * shares its memory, or the parent had threads; -EPROTO the snapshot does not fit
 * this machine; -ENOMEM. Later failures log a message and kill the caller.
 */
int mitosis_resume(struct origin *origin, const struct mitosis_options *options);

#endif /* MITOSIS_RESUME_H */
