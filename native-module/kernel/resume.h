/* SPDX-License-Identifier: GPL-2.0 */
/* The calling process becomes a child. */
#ifndef MITOSIS_RESUME_H
#define MITOSIS_RESUME_H

#include "child.h"

/* Must be called before the first child. */
void mitosis_resume_init(void);

/* What the next child is told. */
struct mitosis_told mitosis_resume_count(void);

/* Whether the files that the parent has mapped can be mapped: 0, or -ENOEXEC and a message. */
int mitosis_resume_check_files(const struct origin *origin);

/*
 * Takes over the origin. Returns 0 in the child, which continues at the parent's
 * next instruction; -errno if the caller is unchanged: -EINVAL it has threads or
 * shares its memory, or the parent had threads; -EPROTO the snapshot does not fit
 * this machine; -ENOMEM. Later failures log a message and kill the caller.
 *
 * Unless `kept` is NULL, only the memory outside of it is replaced, and the caller goes on
 * in it: MITOSIS_IOC_BECOME. -EINVAL such memory cannot be kept.
 */
int mitosis_resume(struct origin *origin, const struct mitosis_options *options,
		   const struct mitosis_kept_memory *kept);

#endif /* MITOSIS_RESUME_H */
