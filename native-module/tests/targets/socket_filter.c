// SPDX-License-Identifier: Apache-2.0
/* A filter of a socket is not lost: what it keeps out would reach a child, so there is none. */
#include <linux/filter.h>
#include <sys/socket.h>

#include "tests/targets/target.h"

int main(void)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &nothing };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		target_skip("the right to give a socket a filter");
	target_may_be_refused("sockets with a filter (SO_ATTACH_FILTER)",
			      "it has a filter, which a child's would lack");
	target_prepare();

	/* Only a child that has it may be there. */
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0));
	return 0;
}
