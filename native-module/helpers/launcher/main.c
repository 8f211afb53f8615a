// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-launcher: starts lean containers that become children of a snapshot,
 * one after the other, on a child machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/command_line.h"
#include "helpers/launcher/launch.h"

#define HANDLER_ID_DEFAULT 73 /* as the original's scripts have it */
#define LAUNCH_DEADLINE_S  60
#define DRAIN_SECONDS_MAX  10
#define FLUSH_INTERVAL_NS  100000000ull
#define NAME_LENGTH	   11 /* of a loop, as in the artifact's output */

static const char usage[] =
	"usage: mitosis-launcher [options] --driven | --seconds S\n"
	"\n"
	"Starts lean containers, each of which becomes a child of a snapshot, runs\n"
	"and is reaped; prints how long that took.\n"
	"\n"
	"  --handler-id N     key of the snapshot (default 73)\n"
	"  --machine-id N     machine that holds it (default: this one)\n"
	"  --address ADDRESS  where that is, tcp://host:port or\n"
	"                     rdma://host[:port]; connects first\n"
	"  --mode MODE        lazy (default), eager, cached, clone or\n"
	"                     replica\n"
	"  --prefetch PAGES   pages per fault, a power of two to 512 (default 64, "
	"or 16\n"
	"                     of a snapshot with several threads)\n"
	"  --files HOW        of files that the parent has open for writing: "
	"refuse\n"
	"                     (default) to resume, share them, or private copies\n"
	"  --map OLD=NEW      open files that the parent had open at OLD, or below, "
	"at\n"
	"                     NEW; may be given several times\n"
	"  --own WHAT         of a snapshot with several threads, what each child "
	"has of\n"
	"                     its own: network, tmp, or network,tmp; a PID "
	"namespace in\n"
	"                     any case\n"
	"  --host-name NAME   the same for the host name\n"
	"  --backend NAME     auto (default), kernel or user\n"
	"  --start WHAT       resume (default), or empty: only a container\n"
	"  --container KIND   lean (default): for speed, no security boundary; "
	"none;\n"
	"                     strict: a boundary (SECURITY.md), for root, not in "
	"mode\n"
	"                     clone or replica\n"
	"  --cgroup WHERE     auto (default), none, or a parent control group\n"
	"  --root DIR         root directory of the container (default /)\n"
	"  --cpu N            run on one CPU only, children included: the Nth from "
	"0\n"
	"                     of those it may run on, and again from the first\n"
	"  --driven           take commands from standard input, one a line: "
	"launch,\n"
	"                     nil-rpc N, quit; each is answered by one line\n"
	"  --seconds S        start one after the other for S seconds, and print "
	"every\n"
	"                     second how many and how fast\n"
	"  --rate N           with --seconds: start N a second on a fixed "
	"schedule;\n"
	"                     latency is then from the intended start; what has "
	"not\n"
	"                     started when S seconds, at most 10, have passed "
	"again\n"
	"                     is lost\n"
	"  --format FORMAT    with --seconds: text (default), or ns: a line for "
	"each\n"
	"                     child, LATENCY INTENDED_START END in ns, and 'lost "
	"LAG\n"
	"                     INTENDED_START' for each that was scheduled and did "
	"not start\n"
	"  --gate             with --seconds: one child first, not counted; then "
	"print\n"
	"                     'ready' and wait for a line 'start NS' "
	"(CLOCK_MONOTONIC)\n"
	"                     on standard input; end when that is closed\n"
	"  --version          print the release and exit\n";

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
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

static void answer_launch(struct launch_plan *plan)
{
	struct launch_result r;
	char message[LAUNCH_MESSAGE_SIZE];
	int err = launch(plan, &r, message, sizeof(message));

	if (err)
		printf("error errno=%d message=%s\n", -err, message);
	else
		printf("ok startup_ns=%llu resume_ns=%llu execution_ns=%llu "
		       "first_result_ns=%llu wrong=%llu\n",
		       (unsigned long long)r.startup_ns,
		       (unsigned long long)r.resume_ns,
		       (unsigned long long)r.execution_ns,
		       (unsigned long long)r.first_result_ns,
		       (unsigned long long)r.wrong);
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
	       getpid(), container_name(c), c->cgroup_version, c->namespace_names,
	       c->reason);
	fflush(stdout);
	while (!stop && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "quit")) {
			puts("ok");
			break;
		}
		if (!strcmp(line, "launch"))
			answer_launch(plan);
		else if (!strncmp(line, "nil-rpc ", 8))
			answer_nil_rpc(plan, device, line + 8);
		else
			printf("error errno=%d message=unknown command '%s'\n",
			       EINVAL, line);
		if (fflush(stdout))
			break;
	}
}

static void make_name(char name[NAME_LENGTH + 1])
{
	static const char letters[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	unsigned int seed = getpid() ^ now_ns();
	int i;

	for (i = 0; i < NAME_LENGTH; i++)
		name[i] = letters[rand_r(&seed) % (sizeof(letters) - 1)];
	name[i] = '\0';
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	while (!stop &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

struct second {
	uint64_t start_ns, latency_ns, count;
};

/* The artifact's line, once a second. */
static void report_second(struct second *s, uint64_t ended_ns, const char *name)
{
	double seconds = (ended_ns - s->start_ns) / 1e9;

	if (seconds < 1)
		return;
	printf("[%s] Throughput: %f containers/sec, latency %f ms\n", name,
	       s->count / seconds, s->count ? s->latency_ns / 1e6 / s->count : 0.0);
	fflush(stdout);
	*s = (struct second){ .start_ns = ended_ns };
}

/* Whether the process that opens the gate has closed its end. */
static bool abandoned(void)
{
	struct pollfd input = { .fd = STDIN_FILENO };

	return poll(&input, 1, 0) > 0 && input.revents & (POLLHUP | POLLERR);
}

/*
 * Wakes up on time even if all CPUs are busy, where this user has the right;
 * only to read the clock.
 */
static uint64_t sleep_punctually(uint64_t until_ns)
{
	struct sched_param normal = { 0 }, urgent = { .sched_priority = 1 };
	bool raised = !sched_setscheduler(0, SCHED_FIFO, &urgent);
	uint64_t woken_ns;

	sleep_until(until_ns);
	woken_ns = now_ns();
	if (raised)
		sched_setscheduler(0, SCHED_OTHER, &normal);
	return woken_ns;
}

/*
 * Starts one child, so that all that is made once exists. Then waits for the time
 * to start at. Returns the exit status, 0 also if told to stop.
 */
static int wait_at_gate(struct launch_plan *plan, uint64_t *begin_ns)
{
	struct launch_result r;
	char message[LAUNCH_MESSAGE_SIZE], line[64];
	uint64_t start_ns;

	if (launch(plan, &r, message, sizeof(message))) {
		fprintf(stderr, "mitosis-launcher: %s\n", message);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin)) {
		stop = 1;
		return 0;
	}
	if (sscanf(line, "start %" SCNu64, &start_ns) != 1) {
		fprintf(stderr,
			"mitosis-launcher: standard input must say 'start NS', got "
			"'%s'\n",
			line);
		return 2;
	}
	*begin_ns = sleep_punctually(start_ns);
	return 0;
}

/* A reader of the gated loop must get its lines while it runs. */
static void flush_often(uint64_t ended_ns)
{
	static uint64_t flushed_ns;

	if (ended_ns - flushed_ns < FLUSH_INTERVAL_NS)
		return;
	fflush(stdout);
	flushed_ns = ended_ns;
}

/* When child i of a schedule should start. */
static uint64_t scheduled_ns(uint64_t begin_ns, uint64_t i, uint64_t rate)
{
	return begin_ns + i / rate * 1000000000ull + i % rate * 1000000000ull / rate;
}

/* The children of a schedule that the launcher was too slow to start: from i on. */
static void report_lost(uint64_t begin_ns, uint64_t i, uint64_t scheduled,
			uint64_t rate, bool text)
{
	uint64_t gave_up_ns = now_ns();

	if (text && i < scheduled)
		printf("lost %llu of %llu scheduled children\n",
		       (unsigned long long)(scheduled - i),
		       (unsigned long long)scheduled);
	for (; !text && i < scheduled; i++) {
		uint64_t intended_ns = scheduled_ns(begin_ns, i, rate);

		printf("lost %llu %llu\n",
		       (unsigned long long)(gave_up_ns - intended_ns),
		       (unsigned long long)intended_ns);
	}
}

/*
 * Returns the exit status. A schedule goes on after its end until all its children
 * have started: those that wait then are the slowest ones. It gives up after as many
 * seconds again, at most DRAIN_SECONDS_MAX.
 */
static int loop(struct launch_plan *plan, uint64_t begin_ns, uint64_t seconds,
		uint64_t rate, bool text, bool gated)
{
	uint64_t end_ns = begin_ns + seconds * 1000000000ull;
	struct second second = { .start_ns = begin_ns };
	char name[NAME_LENGTH + 1];
	char message[LAUNCH_MESSAGE_SIZE];
	uint64_t i, ended_ns = begin_ns;
	uint64_t drain = seconds < DRAIN_SECONDS_MAX ? seconds : DRAIN_SECONDS_MAX;

	if (rate)
		end_ns += drain * 1000000000ull;
	make_name(name);
	for (i = 0; !stop && ended_ns < end_ns; i++) {
		uint64_t intended_ns = ended_ns;
		struct launch_result r;

		if (rate) {
			if (i == seconds * rate)
				break;
			intended_ns = scheduled_ns(begin_ns, i, rate);
			sleep_until(intended_ns);
		}
		if (stop || (gated && abandoned()))
			break;
		if (launch(plan, &r, message, sizeof(message))) {
			if (stop)
				break; /* a signal has ended the child, too */
			fprintf(stderr, "mitosis-launcher: %s\n", message);
			return 1;
		}
		ended_ns = now_ns();
		second.latency_ns += ended_ns - intended_ns;
		second.count++;
		if (text)
			report_second(&second, ended_ns, name);
		else
			printf("%llu %llu %llu\n",
			       (unsigned long long)(ended_ns - intended_ns),
			       (unsigned long long)intended_ns,
			       (unsigned long long)ended_ns);
		if (!text && gated)
			flush_often(ended_ns);
	}
	if (rate && !stop && !(gated && abandoned()))
		report_lost(begin_ns, i, seconds * rate, rate, text);
	return 0;
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

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "handler-id", required_argument, NULL, 'i' },
		{ "machine-id", required_argument, NULL, 'm' },
		{ "address", required_argument, NULL, 'a' },
		{ "mode", required_argument, NULL, 'M' },
		{ "prefetch", required_argument, NULL, 'p' },
		{ "files", required_argument, NULL, 'F' },
		{ "map", required_argument, NULL, 'P' },
		{ "own", required_argument, NULL, 'o' },
		{ "host-name", required_argument, NULL, 'n' },
		{ "backend", required_argument, NULL, 'b' },
		{ "start", required_argument, NULL, 's' },
		{ "container", required_argument, NULL, 'c' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "root", required_argument, NULL, 'R' },
		{ "cpu", required_argument, NULL, 'C' },
		{ "driven", no_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 'S' },
		{ "rate", required_argument, NULL, 'r' },
		{ "format", required_argument, NULL, 'f' },
		{ "gate", no_argument, NULL, 'G' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static const char *const starts[] = { "resume", "empty", NULL };
	static const char *const containers[] = { "lean", "none", "strict", NULL };
	static const char *const formats[] = { "text", "ns", NULL };
	struct mitosis_path paths[OPTION_MAPS_MAX];
	struct launch_plan plan = {
		.options.size = sizeof(plan.options),
		.handler_id = HANDLER_ID_DEFAULT,
		.deadline_s = LAUNCH_DEADLINE_S,
	};
	struct sigaction action = { .sa_handler = on_signal };
	const char *cgroup = "auto", *root = "/";
	enum container_kind kind = CONTAINER_LEAN;
	bool driven = false, text = true, gated = false;
	uint64_t seconds = 0, rate = 0, begin_ns;
	struct mitosis *device = NULL;
	char address[MITOSIS_ADDRESS_SIZE];
	int option, err;

	open_standard_files();
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'i':
			plan.handler_id =
				parse_number(optarg, "--handler-id", 0, UINT32_MAX);
			break;
		case 'm':
			plan.machine_id =
				parse_number(optarg, "--machine-id", 0, INT32_MAX);
			plan.remote = true;
			break;
		case 'a':
			plan.address = optarg;
			break;
		case 'M':
			plan.options.mode = parse_mode(optarg);
			break;
		case 'F':
			plan.options.files = parse_files(optarg);
			break;
		case 'P':
			parse_map(&plan.options, paths, optarg);
			break;
		case 'o':
			plan.options.own = parse_own(optarg);
			break;
		case 'n':
			plan.options.host_name = optarg;
			break;
		case 'p':
			plan.options.prefetch_pages = parse_prefetch(optarg);
			break;
		case 'b':
			plan.backend = parse_backend(optarg);
			break;
		case 's':
			plan.empty = parse_choice(optarg, "--start", starts);
			break;
		case 'c':
			kind = parse_choice(optarg, "--container", containers);
			break;
		case 'g':
			cgroup = optarg;
			break;
		case 'R':
			root = optarg;
			break;
		case 'C':
			pin(parse_number(optarg, "--cpu", 0, CPU_SETSIZE - 1));
			break;
		case 'd':
			driven = true;
			break;
		case 'S':
			seconds = parse_number(optarg, "--seconds", 1, 86400);
			break;
		case 'r':
			rate = parse_number(optarg, "--rate", 1, 1000000);
			break;
		case 'f':
			text = !parse_choice(optarg, "--format", formats);
			break;
		case 'G':
			gated = true;
			break;
		default:
			answer_and_exit(option, usage);
		}
	}
	if (optind < argc || driven == (seconds > 0) || (gated && driven) ||
	    (plan.address && !plan.remote)) {
		fputs(usage, stderr);
		return 2;
	}
	if (kind == CONTAINER_STRICT && launch_forks(&plan))
		die(2,
		    "a strict container holds no child of mode %s: the snapshot "
		    "forks that with its parent's rights; use lazy, eager or cached",
		    plan.options.mode == MITOSIS_RESUME_CLONE ? "clone" : "replica");
	if (kind == CONTAINER_STRICT && plan.backend == MITOSIS_BACKEND_KERNEL)
		die(2,
		    "a strict container holds no child of the kernel module, which "
		    "takes its caller's rights at once; use --backend user");
	if (kind == CONTAINER_STRICT)
		plan.backend = MITOSIS_BACKEND_USER;
	if (!plan.empty) {
		err = mitosis_open(plan.backend, &device);
		if (!err)
			err = mitosis_set_child_options(device, &plan.options);
		if (!err && plan.address)
			err = mitosis_connect(device, plan.machine_id, plan.address);
		if (err)
			die(1, "%s", mitosis_error());
		plan.backend = mitosis_backend(device);
		/* For error messages, which otherwise name the machine's id only. */
		if (plan.remote && !plan.address &&
		    !mitosis_session_address(device, plan.machine_id, address))
			plan.address = address;
	}
	/* No SA_RESTART: a signal must interrupt waits. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = launch_init(&plan);
	if (err)
		die(1, "cannot create pipes: %s", strerror(-err));
	err = container_create(&plan.container, kind, cgroup, root,
			       plan.report_write);
	if (err)
		die(1,
		    "no strict container, which needs root with all capabilities: "
		    "%s; --container lean is no boundary",
		    plan.container.reason);
	if (!driven && *plan.container.reason)
		fprintf(stderr, "mitosis-launcher: weaker than requested: %s\n",
			plan.container.reason);
	begin_ns = now_ns();
	if (driven)
		drive(&plan, device);
	else if (gated)
		err = wait_at_gate(&plan, &begin_ns);
	if (!driven && !err)
		err = loop(&plan, begin_ns, seconds, rate, text, gated);
	container_destroy(&plan.container);
	mitosis_detach(plan.attachment);
	mitosis_close(device);
	return err;
}
