// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/replica.h"

#include <errno.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/resume.h"
#include "local/replica.h"

int replica_become(const char *what)
{
	/* Pages that one child needs, others need as well. */
	const struct resume_settings settings = {
		.options = { .mode = MITOSIS_RESUME_CACHED },
	};
	struct restore_plan *plan;
	int err = resume_plan_create(REPLICA_STREAM, &settings, NULL, what, &plan);

	if (err) {
		close(REPLICA_STREAM);
		return err;
	}
	if (!plan->descriptor->replica_entry) {
		close(REPLICA_STREAM);
		resume_plan_destroy(plan);
		return fail(-EOPNOTSUPP,
			    "%s is of a kernel module, which has no replicas; use "
			    "mode lazy, eager or cached",
			    what);
	}
	plan->becomes_replica = true;
	/* It has one thread; its children make the others. */
	plan->has_threads = false;
	plan->page_request.flags |= SHADOW_PAGE_REPLICA;
	plan->replica = (struct replica_start){
		.magic = REPLICA_MAGIC,
		.version = LOCAL_VERSION,
		.page_size = sysconf(_SC_PAGESIZE),
		.control = REPLICA_CONTROL,
		.lifeline = REPLICA_LIFELINE,
	};
	err = resume_run(plan, REPLICA_STREAM, NULL, what);
	resume_plan_destroy(plan);
	return err;
}
