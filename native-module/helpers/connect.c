// SPDX-License-Identifier: Apache-2.0
/* mitosis-connect: opens this machine's session to another one. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libmitosis.h"

static const char usage[] =
	"usage: mitosis-connect MACHINE ADDRESS\n"
	"\n"
	"Opens this machine's session to machine MACHINE (a number) at ADDRESS\n"
	"(tcp://host:port, rdma://host[:port][%nic_id], or a GID with or without "
	"%nic_id;\n"
	"or replica://host:port of a machine that has a session to MACHINE),\n"
	"so that its snapshots can be resumed here.\n";

int main(int argc, char **argv)
{
	struct mitosis *device;
	unsigned long machine;
	char *end;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc != 3) {
		fputs(usage, stderr);
		return 2;
	}
	errno = 0;
	machine = strtoul(argv[1], &end, 10);
	if (errno || *end || argv[1][0] == '-' || machine > INT32_MAX) {
		fprintf(stderr,
			"mitosis-connect: MACHINE must be between 0 and %d, "
			"got '%s'\n",
			INT32_MAX, argv[1]);
		return 2;
	}
	if (mitosis_open(MITOSIS_BACKEND_AUTO, &device) ||
	    mitosis_connect(device, machine, argv[2])) {
		fprintf(stderr, "mitosis-connect: %s\n", mitosis_error());
		return 1;
	}
	mitosis_close(device);
	return 0;
}
