// SPDX-License-Identifier: Apache-2.0
/* mitosis-unprepare: drops snapshots of this machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "helpers/command_line.h"
#include "libmitosis.h"

static const char usage[] =
	"usage: mitosis-unprepare [--backend NAME] --all | --all-users | "
	"HANDLER-ID...\n"
	"\n"
	"Drops snapshots of this machine: they can no longer be resumed, and the "
	"kernel\n"
	"module can be removed once their children have ended. Prints how many it\n"
	"dropped. Users drop their own. Exits with 1 if one could not be dropped, "
	"with 2\n"
	"for bad arguments.\n"
	"\n"
	"  --all             all snapshots of this user\n"
	"  --all-users       those of all users, in the kernel module; as root\n"
	"  --backend NAME    auto (default), kernel or user\n"
	"  --version         print the release and exit\n";

/*
 * Counts what it dropped. A snapshot that has ended in the meantime is no failure,
 * nor is another user's unless its id was given.
 */
static bool drop(struct mitosis *device, uint32_t handler_id, bool asked_for,
		 uint64_t *dropped)
{
	int err = mitosis_unprepare(device, handler_id);

	if (!err) {
		(*dropped)++;
		return true;
	}
	if (!asked_for && (err == -ENOENT || err == -EPERM))
		return true;
	fprintf(stderr, "mitosis-unprepare: handler id %u: %s\n", handler_id,
		mitosis_error());
	return false;
}

static bool drop_all(struct mitosis *device, uint64_t *dropped)
{
	struct mitosis_snapshot *all;
	int i, n = mitosis_list(device, NULL, 0);
	bool well = true;

	if (n < 0)
		die(1, "%s", mitosis_error());
	/* Snapshots that are prepared later are not meant. */
	all = calloc(n ? n : 1, sizeof(*all));
	if (!all)
		die(1, "no memory for %d snapshots", n);
	i = mitosis_list(device, all, n);
	if (i < 0)
		die(1, "%s", mitosis_error());
	if (i < n)
		n = i;
	for (i = 0; i < n; i++)
		well &= drop(device, all[i].handler_id, false, dropped);
	free(all);
	return well;
}

/* Returns how many. Snapshots of the user backend are never another user's. */
static int drop_of_all_users(void)
{
	const uint32_t all = MITOSIS_ALL_USERS;
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC), n;

	if (fd < 0)
		die(1, "%s cannot be opened: %s", MITOSIS_DEVICE_PATH,
		    strerror(errno));
	n = ioctl(fd, MITOSIS_IOC_UNPREPARE_ALL, &all);
	if (n < 0)
		die(1,
		    "user %u may not drop the snapshots of all users: %s; it needs "
		    "CAP_SYS_PTRACE",
		    geteuid(), strerror(errno));
	close(fd);
	return n;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "all", no_argument, NULL, 'A' },
		{ "all-users", no_argument, NULL, 'U' },
		{ "backend", required_argument, NULL, 'b' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int backend = MITOSIS_BACKEND_AUTO;
	struct mitosis *device;
	uint64_t dropped = 0;
	bool all = false, all_users = false, well = true;
	int option, i;

	while ((option = next_option(argc, argv, names)) != -1) {
		switch (option) {
		case 'A':
			all = true;
			break;
		case 'U':
			all_users = true;
			break;
		case 'b':
			backend = parse_backend(optarg);
			break;
		default:
			answer_and_exit(option, usage);
		}
	}
	if (all && all_users)
		refuse_command("choose --all or --all-users");
	if (all || all_users)
		refuse_arguments(argc, argv);
	else if (optind == argc)
		refuse_command("HANDLER-ID is missing");
	/* Check all arguments before anything is dropped. */
	for (i = optind; i < argc; i++)
		parse_number(argv[i], "HANDLER-ID", 0, UINT32_MAX);
	if (all_users) {
		printf("dropped %d\n", drop_of_all_users());
		return 0;
	}
	if (mitosis_open(backend, &device))
		die(1, "%s", mitosis_error());
	if (all)
		well = drop_all(device, &dropped);
	for (i = optind; i < argc; i++)
		well &= drop(device,
			     parse_number(argv[i], "HANDLER-ID", 0, UINT32_MAX),
			     true, &dropped);
	mitosis_close(device);
	printf("dropped %llu\n", (unsigned long long)dropped);
	return well ? 0 : 1;
}
