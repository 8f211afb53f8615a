/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of its parent's open files a clone has to make itself, when the others have come with
 * the call: files of its own /proc, and what its epolls watch; and what it can tell of all of them.
 */
#ifndef LIB_CLONE_LATE_FILES_H
#define LIB_CLONE_LATE_FILES_H

#include "lib/clone_more_files.h"
#include "lib/told_files.h"
#include "paging/page_source.h"
#include "proto/descriptor.h"

/*
 * In the child, when its files have their numbers. `told` is overwritten. Returns 0 or -errno. No
 * C library.
 */
long clone_late_files(const struct clone_request *request,
		      const struct clone_more_files *more,
		      const struct descriptor_header *d, struct told_files *told);

#endif /* LIB_CLONE_LATE_FILES_H */
