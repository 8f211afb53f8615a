// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-replica: becomes the replica of a snapshot of another machine. The pager of
 * that snapshot starts it; it is of no use by hand.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/replica.h"
#include "libmitosis.h"
#include "local/replica.h"

int main(int argc, char **argv)
{
	struct replica_answer a = { 0 };

	if (argc != 2 || fcntl(REPLICA_STREAM, F_SETFD, FD_CLOEXEC) ||
	    fcntl(REPLICA_CONTROL, F_GETFD) < 0 ||
	    fcntl(REPLICA_LIFELINE, F_GETFD) < 0) {
		fprintf(stderr, "mitosis-replica is started by mitosisd, which "
				"opens its descriptors\n");
		return 2;
	}
	a.answer.status = replica_become(argv[1]);
	fprintf(stderr, "mitosis: there is no replica: %s\n", mitosis_error());
	a.answer.length =
		snprintf(a.message, sizeof(a.message), "%s", mitosis_error());
	if (a.answer.length >= sizeof(a.message))
		a.answer.length = sizeof(a.message) - 1;
	send(REPLICA_CONTROL, &a, sizeof(a.answer) + a.answer.length, MSG_NOSIGNAL);
	return 1;
}
