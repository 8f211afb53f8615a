// SPDX-License-Identifier: Apache-2.0
/* mitosis-prepare: has a program with libmitosis-preload.so prepare itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "helpers/command_line.h"
#include "helpers/preload/control_socket.h"
#include "helpers/preload/not_loaded.h"
#include "helpers/preload/request.h"
#include "local/interrupted.h"
#include "local/printable.h"

/* Beside the time in which threads stop. */
#define DEADLINE_S  30
#define STOP_MS_MAX 60000
/* The real-time signals. */
#define STOP_SIGNAL_MIN 32
#define STOP_SIGNAL_MAX 64

/* clang-format off */
static const char usage[] =
	"usage: mitosis-prepare [options] SOCKET\n"
	"\n"
	"Prepares a running program that was started by\n"
	"\n"
	"    MITOSIS_PRELOAD_SOCKET=SOCKET LD_PRELOAD=.../libmitosis-preload.so PROGRAM\n"
	"\n"
	"so that mitosis-child and mitosis-launcher can resume it. Exits with 1 if it\n"
	"cannot be prepared, with 2 for bad arguments.\n"
	"\n"
	"  --handler-id N    key of the snapshot (default 73)\n"
	"  --pinned          keep the snapshot when the program ends\n"
	"  --unprepare       drop the snapshot instead\n"
	"  --stop-ms N       time for its threads to stop, in ms (default 2000)\n"
	"  --stop-signal N   real-time signal that stops them, 32 to 64, which the program\n"
	"                    does not use (default: its MITOSIS_STOP_SIGNAL, else 33)\n"
	"  --leave-out N     number of an open file, from 3 on, that is not part of the\n"
	"                    snapshot; may be given up to 64 times\n"
	"  --version         print the release and exit\n";
/* clang-format on */

static int connect_to(const char *path, int deadline_s)
{
	const struct timeval deadline = { .tv_sec = deadline_s };
	struct sockaddr_un address;
	char why[512];
	int fd, err;

	if (control_socket_address(path, &address))
		die(2,
		    "SOCKET must be an absolute path of at most %zu characters, "
		    "got '%s'",
		    sizeof(address.sun_path) - 1, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline)))
		die(1, "a Unix socket cannot be made: %s", strerror(errno));
	err = socket_connect(fd, (struct sockaddr *)&address, sizeof(address));
	if (err && explain_not_loaded(path, why, sizeof(why))) {
		make_printable(why, strlen(why));
		die(1, "no program listens at %s: %s", path, why);
	}
	if (err)
		die(1,
		    "no program listens at %s: %s; was it started with "
		    "libmitosis-preload.so in LD_PRELOAD and this path in "
		    "MITOSIS_PRELOAD_SOCKET?",
		    path, strerror(-err));
	return fd;
}

static void ask(const char *path, const struct preload_request *request,
		struct preload_answer *answer)
{
	/* Another thread of the program may prepare before. */
	int deadline_s = DEADLINE_S + 3 * request->stop_ms / 1000;
	int fd = connect_to(path, deadline_s);
	ssize_t size = socket_send(fd, request, sizeof(*request));

	memset(answer, 0, sizeof(*answer));
	if (size == sizeof(*request))
		size = socket_receive(fd, answer, sizeof(*answer), 0);
	if (size < 0)
		die(1, "the program at %s does not answer within %d s: %s", path,
		    deadline_s, strerror(errno));
	if (size != sizeof(*answer) || answer->magic != PRELOAD_MAGIC)
		die(1,
		    "the program at %s hangs up: it is another user's, or its "
		    "libmitosis-preload.so is of another release",
		    path);
	answer->message[sizeof(answer->message) - 1] = '\0';
	make_printable(answer->message, strlen(answer->message));
}

static void leave_out(struct preload_request *request, const char *number)
{
	if (request->left_out_count == MITOSIS_LEFT_OUT_MAX)
		die(2, "--leave-out can be given %u times at most",
		    MITOSIS_LEFT_OUT_MAX);
	request->left_out[request->left_out_count++] =
		parse_number(number, "--leave-out", 3, INT32_MAX);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "handler-id", required_argument, NULL, 'i' },
		{ "pinned", no_argument, NULL, 'p' },
		{ "unprepare", no_argument, NULL, 'u' },
		{ "stop-ms", required_argument, NULL, 's' },
		{ "stop-signal", required_argument, NULL, 'g' },
		{ "leave-out", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct preload_request request = {
		.magic = PRELOAD_MAGIC,
		.command = PRELOAD_PREPARE,
		.handler_id = HANDLER_ID_DEFAULT,
	};
	struct preload_answer answer;
	const char *socket;
	int option;

	while ((option = next_option(argc, argv, names)) != -1) {
		switch (option) {
		case 'i':
			request.handler_id = parse_handler_id(optarg);
			break;
		case 'p':
			request.command = PRELOAD_PREPARE_PINNED;
			break;
		case 'u':
			request.command = PRELOAD_UNPREPARE;
			break;
		case 's':
			request.stop_ms =
				parse_number(optarg, "--stop-ms", 1, STOP_MS_MAX);
			break;
		case 'g':
			request.stop_signal =
				parse_number(optarg, "--stop-signal",
					     STOP_SIGNAL_MIN, STOP_SIGNAL_MAX);
			break;
		case 'l':
			leave_out(&request, optarg);
			break;
		default:
			answer_and_exit(option, usage);
		}
	}
	if (optind == argc)
		refuse_command("SOCKET is missing");
	socket = argv[optind++];
	refuse_arguments(argc, argv);
	ask(socket, &request, &answer);
	if (answer.error)
		die(1, "process %d: %s", answer.process, answer.message);
	if (request.command == PRELOAD_UNPREPARE)
		printf("handler id %u of process %d is dropped\n",
		       request.handler_id, answer.process);
	else
		printf("process %d is prepared as handler id %u, in %.3f ms\n",
		       answer.process, request.handler_id, answer.took_ns / 1e6);
	return 0;
}
