// SPDX-License-Identifier: Apache-2.0
/* A seccomp filter is not lost: a child has it, or there is no child. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "tests/targets/target.h"

int main(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	if (prctl(PR_GET_SECCOMP))
		target_skip("processes without a seccomp filter");
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		target_skip("a kernel with seccomp filters");
	target_may_be_refused("seccomp filters",
			      "comes from a process with a seccomp filter");
	target_prepare();

	CHECK_EQ(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
	target_child_has("seccomp filters", "kept");
	return 0;
}
