// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-parent: a parent process with the seed's working set. It times its
 * own prepare, and fork(2) and exec beside it, by CLOCK_MONOTONIC; either by
 * itself (--repeat) or on a harness's commands (--driven).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/command_line.h"
#include "helpers/parent/floor.h"
#include "helpers/parent/threads.h"
#include "helpers/parent/working_set.h"
#include "helpers/report.h"
#include "libmitosis.h"

#define SPAWN_ARGUMENTS_MAX 32
#define FILES_MAX	    (1u << 20)
#define LINE_MAX_SIZE	    (4 * PATH_MAX)

/* clang-format off */
static const char usage[] =
	"usage: mitosis-parent --memory-size BYTES [options] --driven | --repeat N\n"
	"\n"
	"A process with a touched working set that prepares itself and prints how\n"
	"long that took.\n"
	"\n"
	"  --memory-size BYTES   size of the working set, a multiple of the page size\n"
	"  --touch-ratio PERCENT pages touched again before each prepare (default 100)\n"
	"  --order ORDER         random (default) or sequential touching\n"
	"  --backend NAME        auto (default), kernel or user\n"
	"  --handler-id N        key of the snapshot (default 73)\n"
	"  --child WHAT          what a resumed child does: exit (default); work: touch\n"
	"                        its pages and check their contents; read: only check\n"
	"  --threads N           number of threads, the main thread included (default 1)\n"
	"  --thread-work WORK    what the other threads do: idle (default): wait; busy:\n"
	"                        compute\n"
	"  --files N             eventfds to open, beside the standard three files\n"
	"                        (default 0)\n"
	"  --report-fd N         file descriptor of a child's report (default 100;\n"
	"                        helpers/report.h)\n"
	"  --repeat N            touch, prepare and unprepare N times\n"
	"  --format FORMAT       with --repeat: text (default), or ns: one number per line\n"
	"  --driven              read commands from standard input, one per line: touch,\n"
	"                        prepare, prepare-pinned, pause (prepare, and how long\n"
	"                        another thread stood still), unprepare, cow, fork, nil N,\n"
	"                        fill BYTE, uffd-copy, tcp-copy, spawn PATH and its\n"
	"                        arguments separated by tabs, quit; each is answered by\n"
	"                        one line\n"
	"  --version             print the release and exit\n";
/* clang-format on */

enum child_work { CHILD_EXIT, CHILD_WORK, CHILD_READ };
static const char *const child_works[] = { "exit", "work", "read", NULL };
static const char *const thread_works[] = { "idle", "busy", NULL };

struct parent {
	struct mitosis *device;
	struct working_set set;
	unsigned int touch_ratio; /* percent */
	bool random_order;
	uint32_t handler_id;
	uint64_t cold_ns, warm_ns;
	enum child_work child_work;
	int report_fd;
	uint32_t threads; /* this one included */
	bool busy_threads;
	uint32_t files; /* that it opens */
};

static uint64_t touch(struct parent *p, unsigned int percent)
{
	uint64_t start = now_ns();

	working_set_touch(&p->set, percent);
	return now_ns() - start;
}

/*
 * A child of no launcher says what it would have reported, and stays until its input ends.
 * Without stdio: that may hold what its parent has read.
 */
static void stay(bool right)
{
	char input[64];

	dprintf(STDOUT_FILENO, "held %s\n", right ? "right" : "wrong");
	while (read(STDIN_FILENO, input, sizeof(input)) > 0)
		;
}

/* A resumed child does its part, reports to its launcher and ends. */
static void __attribute__((noreturn)) be_child(struct parent *p, uint64_t resumed_ns)
{
	struct child_report report = {
		.resumed_ns = resumed_ns,
		.first_result_ns = resumed_ns,
	};

	if (p->child_work != CHILD_EXIT) {
		uint64_t start = now_ns();

		report.wrong = working_set_verify(&p->set, p->touch_ratio,
						  p->child_work == CHILD_WORK,
						  &report.first_result_ns);
		report.execution_ns = now_ns() - start;
	}
	/* The reader may have ended: the exit status tells as well. */
	if (write(p->report_fd, &report, sizeof(report)) < 0 && errno == EBADF &&
	    p->child_work != CHILD_EXIT)
		stay(!report.wrong);
	_exit(report.wrong ? 1 : 0);
}

static int timed_prepare(struct parent *p, bool pinned, uint64_t *ns)
{
	uint64_t start = now_ns(), end;
	int err = pinned ? mitosis_prepare_pinned(p->device, p->handler_id)
			 : mitosis_prepare(p->device, p->handler_id);

	end = now_ns();
	*ns = end - start;
	/* In a child the parent's device is dead; its pid may be any, also ours. */
	if (!err && mitosis_nil(p->device) == -EBADF)
		be_child(p, end);
	return err;
}

/* fork(2) until it returns here; the child ends at once and is reaped untimed. */
static int timed_fork(uint64_t *ns)
{
	uint64_t start = now_ns();
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	*ns = now_ns() - start;
	if (pid < 0)
		return -errno;
	return waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

/*
 * fork, exec, exit and wait of a program; `line` is its path and arguments, with
 * tabs between them, and is changed. One that reports as a child does has
 * `first_result_ns`, too; 0 if it does not.
 */
static int timed_spawn(const struct parent *p, char *line, uint64_t *ns,
		       uint64_t *first_result_ns)
{
	struct child_report report = { 0 };
	char *argv[SPAWN_ARGUMENTS_MAX + 1], *rest = NULL;
	int status, pipes[2], n = 0;
	uint64_t start;
	pid_t pid;

	*first_result_ns = 0;
	for (line = strtok_r(line, "\t", &rest); line;
	     line = strtok_r(NULL, "\t", &rest)) {
		if (n == SPAWN_ARGUMENTS_MAX)
			return -E2BIG;
		argv[n++] = line;
	}
	argv[n] = NULL;
	if (!n)
		return -EINVAL;
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	start = now_ns();
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], p->report_fd);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		int err = -errno;

		close(pipes[0]);
		close(pipes[1]);
		return err;
	}
	*ns = now_ns() - start;
	if (read(pipes[0], &report, sizeof(report)) == sizeof(report))
		*first_result_ns = report.first_result_ns - start;
	close(pipes[0]);
	close(pipes[1]);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENOEXEC;
}

static int timed_nil(struct parent *p, uint64_t calls, uint64_t *ns)
{
	uint64_t start = now_ns();
	uint64_t i;
	int err = 0;

	for (i = 0; i < calls && !err; i++)
		err = mitosis_nil(p->device);
	*ns = now_ns() - start;
	return err;
}

static void open_parent(struct parent *p, uint64_t memory_size, int backend)
{
	int err = mitosis_open(backend, &p->device);
	uint32_t i;

	if (err)
		die(1, "%s", mitosis_error());
	err = working_set_create(&p->set, memory_size, p->random_order);
	if (err)
		die(1, "cannot create a working set of %llu bytes: %s",
		    (unsigned long long)memory_size, strerror(-err));
	err = threads_start(p->threads - 1, p->busy_threads);
	if (err)
		die(1, "cannot start %u threads: %s", p->threads, strerror(-err));
	for (i = 0; i < p->files; i++)
		if (eventfd(0, EFD_CLOEXEC) < 0)
			die(1, "cannot open %u files: %s", p->files,
			    strerror(errno));
	p->cold_ns = touch(p, 100);
	p->warm_ns = touch(p, p->touch_ratio);
}

/* A prepare: how long another thread stood still for it. */
static int timed_pause(struct parent *p, uint64_t *ns)
{
	int err = watch_start();
	uint64_t prepare_ns;

	if (err)
		die(1, "cannot start a thread: %s", strerror(-err));
	err = timed_prepare(p, false, &prepare_ns);
	*ns = watch_end();
	return err;
}

static void answer_ns(int err, const char *problem, uint64_t ns)
{
	if (err)
		printf("error errno=%d message=%s\n", -err, problem);
	else
		printf("ok ns=%llu\n", (unsigned long long)ns);
}

static void serve_command(struct parent *p, char *line)
{
	char *argument = strchr(line, ' ');
	uint64_t ns = 0, first_result_ns;
	int err = 0;

	if (argument)
		*argument++ = '\0';
	if (!strcmp(line, "touch")) {
		answer_ns(0, NULL, touch(p, p->touch_ratio));
	} else if (!strcmp(line, "cow")) {
		answer_ns(0, NULL, touch(p, 100));
	} else if (!strcmp(line, "prepare")) {
		err = timed_prepare(p, false, &ns);
		answer_ns(err, mitosis_error(), ns);
	} else if (!strcmp(line, "pause")) {
		err = timed_pause(p, &ns);
		answer_ns(err, mitosis_error(), ns);
	} else if (!strcmp(line, "prepare-pinned")) {
		err = timed_prepare(p, true, &ns);
		answer_ns(err, mitosis_error(), ns);
	} else if (!strcmp(line, "unprepare")) {
		ns = now_ns();
		err = mitosis_unprepare(p->device, p->handler_id);
		answer_ns(err, mitosis_error(), now_ns() - ns);
	} else if (!strcmp(line, "uffd-copy")) {
		err = floor_uffd_copy(&p->set, &ns);
		answer_ns(err, strerror(-err), ns);
	} else if (!strcmp(line, "tcp-copy")) {
		err = floor_tcp_copy(&p->set, &ns);
		answer_ns(err, strerror(-err), ns);
	} else if (!strcmp(line, "fork")) {
		err = timed_fork(&ns);
		answer_ns(err, strerror(-err), ns);
	} else if (!strcmp(line, "spawn") && argument) {
		err = timed_spawn(p, argument, &ns, &first_result_ns);
		if (err)
			answer_ns(err, strerror(-err), ns);
		else
			printf("ok ns=%llu first_result_ns=%llu\n",
			       (unsigned long long)ns,
			       (unsigned long long)first_result_ns);
	} else if (!strcmp(line, "nil") && argument) {
		unsigned long long calls = strtoull(argument, NULL, 10);

		err = timed_nil(p, calls, &ns);
		if (err)
			answer_ns(err, mitosis_error(), ns);
		else
			printf("ok ns=%llu calls=%llu\n", (unsigned long long)ns,
			       calls);
	} else if (!strcmp(line, "fill") && argument) {
		working_set_fill(&p->set, strtoul(argument, NULL, 10));
		puts("ok");
	} else {
		printf("error errno=%d message=unknown command '%s', or its "
		       "argument is missing\n",
		       EINVAL, line);
	}
}

static void drive(struct parent *p)
{
	char line[LINE_MAX_SIZE];

	printf("ok ready=1 pid=%d memory_size=%zu address=%llu pages=%u "
	       "backend=%s cold_ns=%llu warm_ns=%llu\n",
	       getpid(), p->set.size, (unsigned long long)(uintptr_t)p->set.memory,
	       p->set.pages,
	       mitosis_backend(p->device) == MITOSIS_BACKEND_KERNEL ? "kernel"
								    : "user",
	       (unsigned long long)p->cold_ns, (unsigned long long)p->warm_ns);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "quit")) {
			puts("ok");
			break;
		}
		serve_command(p, line);
		if (fflush(stdout))
			break;
	}
}

static void repeat(struct parent *p, uint64_t times, bool text)
{
	uint64_t i, ns;

	if (text)
		printf("[%s cold start] Run time = %g ms\n"
		       "[%s warm start] Run time = %g ms\n",
		       p->random_order ? "random" : "sequential", p->cold_ns / 1e6,
		       p->random_order ? "random" : "sequential", p->warm_ns / 1e6);
	for (i = 0; i < times; i++) {
		touch(p, p->touch_ratio);
		if (timed_prepare(p, false, &ns) ||
		    mitosis_unprepare(p->device, p->handler_id))
			die(1, "%s", mitosis_error());
		if (text)
			printf("Prepare time = %g ms\n", ns / 1e6);
		else
			printf("%llu\n", (unsigned long long)ns);
	}
}

/* What the command line asks for. */
struct request {
	struct parent parent;
	uint64_t memory_size;
	int backend;
	bool driven;
	uint64_t times; /* that it prepares if it is not driven */
	bool text;	/* else ns */
};

static void parse_arguments(struct request *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "memory-size", required_argument, NULL, 'm' },
		{ "touch-ratio", required_argument, NULL, 't' },
		{ "order", required_argument, NULL, 'o' },
		{ "backend", required_argument, NULL, 'b' },
		{ "handler-id", required_argument, NULL, 'i' },
		{ "child", required_argument, NULL, 'c' },
		{ "threads", required_argument, NULL, 'n' },
		{ "thread-work", required_argument, NULL, 'w' },
		{ "files", required_argument, NULL, 'l' },
		{ "report-fd", required_argument, NULL, 'p' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "format", required_argument, NULL, 'f' },
		{ "driven", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static const char *const orders[] = { "random", "sequential", NULL };
	static const char *const formats[] = { "text", "ns", NULL };
	struct parent *p = &r->parent;
	int option;

	while ((option = next_option(argc, argv, options)) != -1) {
		switch (option) {
		case 'm':
			r->memory_size =
				parse_number(optarg, "--memory-size", 1, 1ull << 46);
			break;
		case 't':
			p->touch_ratio =
				parse_number(optarg, "--touch-ratio", 0, 100);
			break;
		case 'o':
			p->random_order = !parse_choice(optarg, "--order", orders);
			break;
		case 'b':
			r->backend = parse_backend(optarg);
			break;
		case 'i':
			p->handler_id = parse_handler_id(optarg);
			break;
		case 'c':
			p->child_work = parse_choice(optarg, "--child", child_works);
			break;
		case 'n':
			p->threads =
				parse_number(optarg, "--threads", 1, THREADS_MAX);
			break;
		case 'w':
			p->busy_threads =
				parse_choice(optarg, "--thread-work", thread_works);
			break;
		case 'l':
			p->files = parse_number(optarg, "--files", 0, FILES_MAX);
			break;
		case 'p':
			p->report_fd =
				parse_number(optarg, "--report-fd", 0, INT_MAX);
			break;
		case 'r':
			r->times = parse_number(optarg, "--repeat", 1, 1000000000);
			break;
		case 'f':
			r->text = !parse_choice(optarg, "--format", formats);
			break;
		case 'd':
			r->driven = true;
			break;
		default:
			answer_and_exit(option, usage);
		}
	}
	refuse_arguments(argc, argv);
	if (!r->memory_size)
		refuse_command("--memory-size is missing");
	if (r->driven == (r->times > 0))
		refuse_command("choose one of --driven and --repeat");
}

int main(int argc, char **argv)
{
	struct request request = {
		.parent = {
			.touch_ratio = 100,
			.random_order = true,
			.handler_id = HANDLER_ID_DEFAULT,
			.report_fd = REPORT_FD_DEFAULT,
			.threads = 1,
		},
		.backend = MITOSIS_BACKEND_AUTO,
		.text = true,
	};
	struct parent *p = &request.parent;

	parse_arguments(&request, argc, argv);
	/* The command `pause` needs one. */
	if ((p->threads > 1 || request.driven) && threads_load(argv))
		die(1, "this C library has threads in a library of its own, "
		       "libpthread.so.0, which cannot be loaded");
	open_parent(p, request.memory_size, request.backend);
	if (request.driven)
		drive(p);
	else
		repeat(p, request.times, request.text);
	mitosis_close(p->device);
	return 0;
}
