// SPDX-License-Identifier: Apache-2.0
/* mitosis-connect: opens this machine's session to another one. */
#include <stdint.h>

#include "helpers/command_line.h"
#include "libmitosis.h"

static const char usage[] =
	"usage: mitosis-connect MACHINE ADDRESS\n"
	"\n"
	"Opens this machine's session to machine MACHINE (a number) at ADDRESS\n"
	"(tcp://host:port, rdma://host[:port][%nic_id], or a GID with or without "
	"%nic_id;\n"
	"or replica://host:port of a machine that has a session to MACHINE),\n"
	"so that its snapshots can be resumed here.\n"
	"\n"
	"  --version  print the release and exit\n";

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct mitosis *device;
	const char *address;
	uint32_t machine;
	int option;

	option = next_option(argc, argv, names);
	if (option != -1)
		answer_and_exit(option, usage);
	if (argc - optind < 2)
		refuse_command("%s is missing",
			       optind == argc ? "MACHINE" : "ADDRESS");
	machine = parse_number(argv[optind++], "MACHINE", 0, INT32_MAX);
	address = argv[optind++];
	refuse_arguments(argc, argv);
	if (mitosis_open(MITOSIS_BACKEND_AUTO, &device) ||
	    mitosis_connect(device, machine, address))
		die(1, "%s", mitosis_error());
	mitosis_close(device);
	return 0;
}
