// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-launcher: starts lean containers that become children of a snapshot,
 * one after the other, on a child machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/command_line.h"
#include "helpers/launcher/launch.h"
#include "helpers/launcher/loop.h"
#include "helpers/report.h"

#define LAUNCH_DEADLINE_S 60

/* clang-format off */
static const char usage[] =
	"usage: mitosis-launcher [options] --driven | --seconds S | --arrivals FILE |\n"
	"                        --children N\n"
	"\n"
	"Starts lean containers, each of which becomes a child of a snapshot, runs\n"
	"and is reaped; prints how long that took.\n"
	"\n"
	"  --handler-id N     key of the snapshot (default 73)\n"
	"  --machine-id N     id of the machine that holds it (default: this one)\n"
	"  --address ADDRESS  connect to that machine first, at tcp://host:port,\n"
	"                     rdma://host[:port] or, if another machine passes its pages\n"
	"                     on, replica://host:port of the other one\n"
	"  --mode MODE        lazy (default), eager, cached, clone, replica, or auto:\n"
	"                     clone (on another machine: replica) if possible, else lazy;\n"
	"                     prints the chosen mode to standard error\n"
	"  --prefetch PAGES   pages per fault, a power of two up to 512 (default 64, or\n"
	"                     16 if the snapshot has several threads)\n"
	"  --files HOW        files that the parent has open for writing: refuse to\n"
	"                     resume (default), share them, or make private copies\n"
	"  --map OLD=NEW      open files that the parent had open at or below OLD with\n"
	"                     NEW in place of OLD; may be given several times\n"
	"  --own WHAT         if the snapshot has several threads, what each child has of\n"
	"                     its own beside a PID namespace: network, tmp or network,tmp\n"
	"  --host-name NAME   host name of such children\n"
	"  --backend NAME     auto (default), kernel or user\n"
	"  --start WHAT       resume (default), or empty: only a container\n"
	"  --container KIND   lean (default): fast, not a security boundary; none;\n"
	"                     strict: a security boundary (SECURITY.md), needs root, not\n"
	"                     in modes clone and replica\n"
	"  --cgroup WHERE     auto (default), none, or a parent control group\n"
	"  --root DIR         root directory of the container (default /)\n"
	"  --cpu N            run with all children on one CPU: the Nth, from 0, of the\n"
	"                     CPUs that this process may use, modulo their number\n"
	"  --driven           read commands from standard input, one per line: launch,\n"
	"                     launch-alone (prints the steps before the first\n"
	"                     instruction), nil-rpc N, quit; each is answered by one line\n"
	"  --seconds S        start one after the other for S seconds, and print every\n"
	"                     second how many and how fast\n"
	"  --rate N           with --seconds: start N per second on a fixed schedule.\n"
	"                     Latency counts from the intended start. A child is lost if\n"
	"                     it was not started within another S seconds (at most 10)\n"
	"                     after the end of the schedule\n"
	"  --format FORMAT    with --seconds: text (default), or ns: for each child a line\n"
	"                     LATENCY INTENDED_START END in ns, for each lost child\n"
	"                     'lost LAG INTENDED_START', and in mode auto 'mode MODE' at\n"
	"                     the end\n"
	"  --arrivals FILE    instead of --seconds: start by the schedule in FILE, which\n"
	"                     has one line for each child, its start in ns from the\n"
	"                     beginning, ascending\n"
	"  --children N       start N, one after the other, and print for each a line\n"
	"                     START FIRST_INSTRUCTION FIRST_RESULT END, CLOCK_MONOTONIC in\n"
	"                     ns; then wait until standard input is closed\n"
	"  --gate             with --seconds: start one child that does not count, print\n"
	"                     'ready', and wait for the line 'start NS' (CLOCK_MONOTONIC)\n"
	"                     on standard input; end if it is closed. With --children:\n"
	"                     the same without that child\n"
	"  --version          print the release and exit\n";
/* clang-format on */

static void on_signal(int signal)
{
	(void)signal;
	loop_stopped = 1;
}

static void pin(int index)
{
	cpu_set_t allowed, one;
	int cpu = -1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		die(1, "cannot read the CPU affinity: %s", strerror(errno));
	for (index = index % CPU_COUNT(&allowed) + 1; index; index--)
		do
			cpu++;
		while (!CPU_ISSET(cpu, &allowed));
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die(1, "cannot run on CPU %d: %s", cpu, strerror(errno));
}

static void answer_launch(struct launch_plan *plan, bool alone)
{
	struct launch_result r;
	char message[LAUNCH_MESSAGE_SIZE];
	int err = alone ? launch_alone(plan, &r, message, sizeof(message))
			: launch(plan, &r, message, sizeof(message));

	if (err) {
		printf("error errno=%d message=%s\n", -err, message);
		return;
	}
	if (alone)
		printf("ok descriptor_ns=%llu born_ns=%llu files_ns=%llu "
		       "mapped_ns=%llu go_ns=%llu resume_ns=%llu "
		       "first_result_ns=%llu\n",
		       (unsigned long long)r.descriptor_ns,
		       (unsigned long long)r.born_ns, (unsigned long long)r.files_ns,
		       (unsigned long long)r.mapped_ns, (unsigned long long)r.go_ns,
		       (unsigned long long)r.resume_ns,
		       (unsigned long long)r.first_result_ns);
	else
		printf("ok startup_ns=%llu resume_ns=%llu execution_ns=%llu "
		       "first_result_ns=%llu wrong=%llu mode=%s\n",
		       (unsigned long long)r.startup_ns,
		       (unsigned long long)r.resume_ns,
		       (unsigned long long)r.execution_ns,
		       (unsigned long long)r.first_result_ns,
		       (unsigned long long)r.wrong,
		       plan->empty ? "none" : mode_name(plan->mode));
}

static void answer_nil_rpc(const struct launch_plan *plan, struct mitosis *device,
			   const char *argument)
{
	unsigned long long calls = strtoull(argument, NULL, 10), i;
	uint64_t start = now_ns();
	int err = 0;

	for (i = 0; i < calls && !err; i++)
		err = mitosis_nil_rpc(device, plan->machine_id);
	if (err)
		printf("error errno=%d message=%s\n", -err, mitosis_error());
	else
		printf("ok ns=%llu calls=%llu\n",
		       (unsigned long long)(now_ns() - start), calls);
}

static void drive(struct launch_plan *plan, struct mitosis *device)
{
	const struct container *c = &plan->container;
	char line[256];

	printf("ok ready=1 pid=%d container=%s cgroup=%s namespaces=%s reason=%s\n",
	       getpid(), container_name(c), c->groups.version, c->namespace_names,
	       c->reason);
	fflush(stdout);
	while (!loop_stopped && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "quit")) {
			puts("ok");
			break;
		}
		if (!strcmp(line, "launch"))
			answer_launch(plan, false);
		else if (!strcmp(line, "launch-alone"))
			answer_launch(plan, true);
		else if (!strncmp(line, "nil-rpc ", 8))
			answer_nil_rpc(plan, device, line + 8);
		else
			printf("error errno=%d message=unknown command '%s'\n",
			       EINVAL, line);
		if (fflush(stdout))
			break;
	}
}

/* Else the channel to mitosisd, say, becomes a child's standard input. */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* What the command line asks for. */
struct request {
	struct launch_plan plan;
	struct loop_plan loop;
	enum container_kind kind;
	const char *cgroup, *root; /* of the container */
	bool driven;
	struct mitosis_path
		paths[OPTION_MAPS_MAX]; /* plan.options has their address */
};

/* An option for the snapshot; false: it is another. */
static bool parse_snapshot_option(struct request *r, int option)
{
	struct launch_plan *plan = &r->plan;

	switch (option) {
	case 'i':
		plan->handler_id = parse_handler_id(optarg);
		return true;
	case 'I':
		plan->machine_id =
			parse_number(optarg, "--machine-id", 0, INT32_MAX);
		plan->remote = true;
		return true;
	case 'a':
		plan->address = optarg;
		return true;
	case 'b':
		plan->backend = parse_backend(optarg);
		return true;
	default:
		return false;
	}
}

/* An option for where children are started; false: it is another. */
static bool parse_container_option(struct request *r, int option)
{
	static const char *const starts[] = { "resume", "empty", NULL };
	static const char *const containers[] = { "lean", "none", "strict", NULL };

	switch (option) {
	case 's':
		r->plan.empty = parse_choice(optarg, "--start", starts);
		return true;
	case 'c':
		r->kind = parse_choice(optarg, "--container", containers);
		return true;
	case 'g':
		r->cgroup = optarg;
		return true;
	case 'R':
		r->root = optarg;
		return true;
	case 'C':
		pin(parse_number(optarg, "--cpu", 0, CPU_SETSIZE - 1));
		return true;
	default:
		return false;
	}
}

/* An option for when and how many children are started; false: it is another. */
static bool parse_loop_option(struct request *r, int option)
{
	static const char *const formats[] = { "text", "ns", NULL };
	struct loop_plan *loop = &r->loop;

	switch (option) {
	case 'd':
		r->driven = true;
		return true;
	case 'S':
		loop->seconds = parse_number(optarg, "--seconds", 1, 86400);
		return true;
	case 'r':
		loop->rate = parse_number(optarg, "--rate", 1, 1000000);
		return true;
	case 'A':
		loop->arrivals = optarg;
		return true;
	case 'N':
		loop->children = parse_number(optarg, "--children", 1, 1000000);
		return true;
	case 'F':
		loop->text = !parse_choice(optarg, "--format", formats);
		return true;
	case 'G':
		loop->gated = true;
		return true;
	default:
		return false;
	}
}

static void parse_arguments(struct request *r, int argc, char **argv)
{
	static const struct option names[] = {
		{ "handler-id", required_argument, NULL, 'i' },
		{ "machine-id", required_argument, NULL, 'I' },
		{ "address", required_argument, NULL, 'a' },
		CHILD_OPTIONS,
		{ "backend", required_argument, NULL, 'b' },
		{ "start", required_argument, NULL, 's' },
		{ "container", required_argument, NULL, 'c' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "root", required_argument, NULL, 'R' },
		{ "cpu", required_argument, NULL, 'C' },
		{ "driven", no_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 'S' },
		{ "rate", required_argument, NULL, 'r' },
		{ "children", required_argument, NULL, 'N' },
		{ "arrivals", required_argument, NULL, 'A' },
		{ "format", required_argument, NULL, 'F' },
		{ "gate", no_argument, NULL, 'G' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct launch_plan *plan = &r->plan;
	struct loop_plan *loop = &r->loop;
	int option;

	while ((option = next_option(argc, argv, names)) != -1)
		if (!parse_child_option(&plan->options, r->paths, option, optarg) &&
		    !parse_snapshot_option(r, option) &&
		    !parse_container_option(r, option) &&
		    !parse_loop_option(r, option))
			answer_and_exit(option, usage);
	refuse_arguments(argc, argv);
	if (r->driven + !!loop->seconds + !!loop->children + !!loop->arrivals != 1)
		refuse_command("choose one of --driven, --seconds, --arrivals and "
			       "--children");
	if (loop->gated && r->driven)
		refuse_command("--gate is not for --driven");
	if (loop->rate && !loop->seconds)
		refuse_command("--rate needs --seconds");
	if (loop->children && plan->empty)
		refuse_command("--children needs --start resume");
	if (plan->address && !plan->remote)
		refuse_command("--address needs --machine-id");
	plan->mode = plan->options.mode;
	plan->chooses_mode = plan->mode == MITOSIS_RESUME_AUTO;
}

/* Refuses what children in a strict container cannot have. */
static void check_strict(const struct launch_plan *plan)
{
	if (launch_forks(plan))
		die(2,
		    "a strict container holds no child of mode %s: the snapshot "
		    "forks that with its parent's rights; use lazy, eager or cached",
		    mode_name(plan->mode));
	if (plan->options.own || plan->options.host_name)
		die(2, "a strict container has a network, a host name and a /tmp of "
		       "its own: leave out --own and --host-name");
	if (plan->backend == MITOSIS_BACKEND_KERNEL)
		die(2,
		    "a strict container holds no child of the kernel module, which "
		    "takes its caller's rights at once; use --backend user");
}

/* `address` gets the one of the machine's session, if the command line has none. */
static struct mitosis *open_device(struct launch_plan *plan,
				   char address[MITOSIS_ADDRESS_SIZE])
{
	struct mitosis *device = NULL;
	int err = mitosis_open(plan->backend, &device);

	if (!err)
		err = mitosis_set_child_options(device, &plan->options);
	if (!err && plan->address)
		err = mitosis_connect(device, plan->machine_id, plan->address);
	if (err)
		die(1, "%s", mitosis_error());
	plan->backend = mitosis_backend(device);
	if (plan->backend == MITOSIS_BACKEND_KERNEL &&
	    plan->mode == MITOSIS_RESUME_AUTO)
		plan->mode = plan->options.mode = MITOSIS_RESUME_LAZY;
	/* For error messages, which otherwise name the machine's id only. */
	if (plan->remote && !plan->address &&
	    !mitosis_session_address(device, plan->machine_id, address))
		plan->address = address;
	return device;
}

int main(int argc, char **argv)
{
	static struct request request = {
		.plan = {
			.options.size = sizeof(request.plan.options),
			.options.signals =
				MITOSIS_SIGNALS_CLEARED, /* container_fork() */
			.handler_id = HANDLER_ID_DEFAULT,
			.deadline_s = LAUNCH_DEADLINE_S,
		},
		.loop = { .text = true },
		.kind = CONTAINER_LEAN,
		.cgroup = "auto",
		.root = "/",
	};
	struct launch_plan *plan = &request.plan;
	struct sigaction action = { .sa_handler = on_signal };
	char address[MITOSIS_ADDRESS_SIZE];
	struct mitosis *device = NULL;
	int err;

	open_standard_files();
	parse_arguments(&request, argc, argv);
	if (request.kind == CONTAINER_STRICT) {
		check_strict(plan);
		plan->backend = MITOSIS_BACKEND_USER;
	}
	if (!plan->empty)
		device = open_device(plan, address);
	/* No SA_RESTART: a signal must interrupt waits. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = launch_init(plan);
	if (err == -EBADF)
		die(1,
		    "the limit of open files (ulimit -n) has no number %d, by which "
		    "a child reports; raise it above that",
		    REPORT_FD_DEFAULT);
	if (err)
		die(1, "cannot create pipes: %s", strerror(-err));
	err = container_create(&plan->container, request.kind, request.cgroup,
			       request.root, plan->report_write);
	if (err)
		die(1,
		    "no strict container, which needs root with all capabilities: "
		    "%s; --container lean is no boundary",
		    plan->container.reason);
	if (!request.driven && *plan->container.reason)
		fprintf(stderr, "mitosis-launcher: weaker than requested: %s\n",
			plan->container.reason);
	if (request.driven)
		drive(plan, device);
	else
		err = loop_run(plan, &request.loop);
	container_destroy(&plan->container);
	mitosis_detach(plan->attachment);
	mitosis_close(device);
	return err;
}
