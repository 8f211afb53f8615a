// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-child: becomes a child of a snapshot. From then on this process is
 * the parent's program; its exit status is what that program returns.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/command_line.h"
#include "libmitosis.h"

/* clang-format off */
static const char usage[] =
	"usage: mitosis-child [options]\n"
	"\n"
	"Becomes a child of a snapshot: continues as the process that was prepared.\n"
	"Exits with 1 if it cannot be resumed, with 2 for bad arguments.\n"
	"\n"
	"  --handler-id N        key of the snapshot (default 73)\n"
	"  --mode MODE           how the child gets its pages:\n"
	"                        lazy     on demand (default)\n"
	"                        eager    all of them before the first instruction\n"
	"                        cached   on demand; they stay on this machine for later\n"
	"                                 children\n"
	"                        clone    the shadow forks the child, and this process\n"
	"                                 waits for it\n"
	"                        replica  as clone, for a snapshot of another machine\n"
	"                        auto     as lazy\n"
	"  --prefetch PAGES      pages per fault, a power of two up to 512 (default 64, or\n"
	"                        16 if the snapshot has several threads)\n"
	"  --files HOW           files that the parent has open for writing: refuse to\n"
	"                        resume (default), share them, or make private copies\n"
	"  --map OLD=NEW         open files that the parent had open at or below OLD with\n"
	"                        NEW in place of OLD; may be given several times\n"
	"  --own WHAT            if the snapshot has several threads, what the child has\n"
	"                        of its own beside a PID namespace: network (a loopback\n"
	"                        device only), tmp (an empty /tmp), or network,tmp\n"
	"  --host-name NAME      host name of such a child\n"
	"  --backend NAME        auto (default), kernel or user\n"
	"  --remote N            id of the machine that holds the snapshot (default: this\n"
	"                        one)\n"
	"  --address ADDRESS     connect to that machine first, at this address\n"
	"  --userfaultfd         print whether this process may use userfaultfd (allowed,\n"
	"                        or why not: libmitosis.h) and exit\n"
	"  --version             print the release and exit\n";
/* clang-format on */

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "handler-id", required_argument, NULL, 'i' },
		CHILD_OPTIONS,
		{ "backend", required_argument, NULL, 'b' },
		{ "remote", required_argument, NULL, 'r' },
		{ "address", required_argument, NULL, 'a' },
		{ "userfaultfd", no_argument, NULL, 'u' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct mitosis_path paths[OPTION_MAPS_MAX];
	struct mitosis_child_options options = {
		.size = sizeof(options),
		.mode = MITOSIS_RESUME_LAZY,
		.files = MITOSIS_FILES_REFUSE,
		.paths = paths,
		.signals = MITOSIS_SIGNALS_CLEARED, /* it has just been executed */
	};
	uint32_t handler_id = HANDLER_ID_DEFAULT, machine_id = 0;
	bool remote = false, options_given = false;
	int backend = MITOSIS_BACKEND_AUTO;
	const char *address = NULL;
	struct mitosis *device;
	int option, err;

	while ((option = next_option(argc, argv, names)) != -1) {
		if (parse_child_option(&options, paths, option, optarg)) {
			options_given = true;
			continue;
		}
		switch (option) {
		case 'i':
			handler_id = parse_handler_id(optarg);
			break;
		case 'b':
			backend = parse_backend(optarg);
			break;
		case 'r':
			machine_id = parse_number(optarg, "--remote", 0, UINT32_MAX);
			remote = true;
			break;
		case 'a':
			address = optarg;
			break;
		case 'u':
			puts(mitosis_userfaultfd());
			return 0;
		default:
			answer_and_exit(option, usage);
		}
	}
	refuse_arguments(argc, argv);
	if (address && !remote)
		refuse_command("--address needs --remote");

	err = mitosis_open(backend, &device);
	if (!err && options_given)
		err = mitosis_set_child_options(device, &options);
	if (!err && address)
		err = mitosis_connect(device, machine_id, address);
	if (!err && remote)
		mitosis_resume_remote(device, machine_id, handler_id);
	else if (!err)
		mitosis_resume_local(device, handler_id);
	die(1, "%s", mitosis_error());
}
