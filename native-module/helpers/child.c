// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-child: becomes a child of a snapshot. From then on this process is
 * the parent's program; its exit status is what that program returns.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

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
	"                        the child, and this process waits for it\n"
	"  --prefetch PAGES      pages per fault, a power of two to 512 (default "
	"64)\n"
	"  --files HOW           what it has of files that its parent has open for\n"
	"                        writing: refuse (default) to resume, share them, "
	"or\n"
	"                        private copies\n"
	"  --backend NAME        auto (default), kernel or user\n"
	"  --remote MACHINE      id of the machine that holds the snapshot\n"
	"  --address ADDRESS     where that machine listens: connects to it first\n"
	"  --version             print the release and exit\n";

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "handler-id", required_argument, NULL, 'i' },
		{ "mode", required_argument, NULL, 'm' },
		{ "prefetch", required_argument, NULL, 'p' },
		{ "files", required_argument, NULL, 'f' },
		{ "backend", required_argument, NULL, 'b' },
		{ "remote", required_argument, NULL, 'r' },
		{ "address", required_argument, NULL, 'a' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct mitosis_resume_options options = {
		.mode = MITOSIS_RESUME_LAZY,
		.prefetch_pages = MITOSIS_PREFETCH_PAGES_DEFAULT,
	};
	uint32_t handler_id = HANDLER_ID_DEFAULT, machine_id = 0;
	uint32_t files = MITOSIS_FILES_REFUSE;
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
			files = parse_files(optarg);
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
		err = mitosis_set_resume_options(device, &options);
	if (!err)
		err = mitosis_set_resume_files(device, files);
	if (!err && address)
		err = mitosis_connect(device, machine_id, address);
	if (!err && remote)
		mitosis_resume_remote(device, machine_id, handler_id);
	else if (!err)
		mitosis_resume_local(device, handler_id);
	die(1, "%s", mitosis_error());
}
