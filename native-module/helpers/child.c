// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-child: becomes a child of a snapshot. From then on this process is
 * the parent's program; its exit status is what that program returns.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/command_line.h"
#include "libmitosis.h"

#define HANDLER_ID_DEFAULT 73 /* as the original's scripts have it */

static const char usage[] =
	"usage: mitosis-child [options]\n"
	"\n"
	"Becomes a child of a snapshot: continues as the process that prepared it.\n"
	"Exits with 1 if it cannot be resumed, with 2 for bad arguments.\n"
	"\n"
	"  --handler-id N        key of the snapshot (default 73)\n"
	"  --mode MODE           lazy (default): pages on demand; eager: all of "
	"them\n"
	"                        before the first instruction; cached: on demand, "
	"kept\n"
	"                        here for the next children; clone: the shadow "
	"forks\n"
	"                        the child, and this process waits for it; replica: "
	"the\n"
	"                        same for a snapshot of another machine; auto: "
	"lazy, "
	"as\n"
	"                        this process becomes the child itself\n"
	"  --prefetch PAGES      pages per fault, a power of two to 512 (default "
	"64, or\n"
	"                        16 of a snapshot with several threads)\n"
	"  --files HOW           what it has of files that its parent has open for\n"
	"                        writing: refuse (default) to resume, share them, "
	"or\n"
	"                        private copies\n"
	"  --map OLD=NEW         open files that the parent had open at OLD, or "
	"below, "
	"at\n"
	"                        NEW; may be given several times\n"
	"  --own WHAT            of a snapshot with several threads, what it has of "
	"its "
	"own:\n"
	"                        network (a loopback device only), tmp (an empty "
	"/tmp), or\n"
	"                        network,tmp; a PID namespace in any case\n"
	"  --host-name NAME      the same for the host name\n"
	"  --backend NAME        auto (default), kernel or user\n"
	"  --remote MACHINE      id of the machine that holds the snapshot\n"
	"  --address ADDRESS     where that machine listens: connects to it first\n"
	"  --userfaultfd         print whether this process may use userfaultfd "
	"(allowed,\n"
	"                        or why not: libmitosis.h) and exit\n"
	"  --version             print the release and exit\n";

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "handler-id", required_argument, NULL, 'i' },
		{ "mode", required_argument, NULL, 'm' },
		{ "prefetch", required_argument, NULL, 'p' },
		{ "files", required_argument, NULL, 'f' },
		{ "map", required_argument, NULL, 'M' },
		{ "own", required_argument, NULL, 'o' },
		{ "host-name", required_argument, NULL, 'n' },
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

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'i':
			handler_id =
				parse_number(optarg, "--handler-id", 0, UINT32_MAX);
			break;
		case 'm':
			options.mode = parse_mode(optarg);
			options_given = true;
			break;
		case 'p':
			options.prefetch_pages = parse_prefetch(optarg);
			options_given = true;
			break;
		case 'f':
			options.files = parse_files(optarg);
			options_given = true;
			break;
		case 'M':
			parse_map(&options, paths, optarg);
			options_given = true;
			break;
		case 'o':
			options.own = parse_own(optarg);
			options_given = true;
			break;
		case 'n':
			options.host_name = optarg;
			options_given = true;
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
	if (optind < argc)
		die(2, "unexpected argument '%s'; see --help", argv[optind]);
	if (address && !remote)
		die(2, "--address needs --remote MACHINE");

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
