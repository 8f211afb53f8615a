// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/launcher/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/command_line.h"

#define NS_PER_S	  1000000000ull
#define ARRIVAL_NS_MAX	  (3600 * NS_PER_S)
#define DRAIN_SECONDS_MAX 10
#define FLUSH_INTERVAL_NS 100000000ull
#define NAME_LENGTH	  11 /* of a loop, as in the artifact's output */

volatile sig_atomic_t loop_stopped;

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

	while (!loop_stopped &&
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
 * Waits for the time to start at. Returns the exit status, 0 also if told to stop.
 */
static int wait_at_gate(uint64_t *begin_ns)
{
	char line[64];
	uint64_t start_ns;

	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin)) {
		loop_stopped = 1;
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

/* When children are to start: at a rate, or at times of their own. */
struct schedule {
	uint64_t count, length_ns;
	uint64_t rate;	   /* children a second; or 0 */
	uint64_t *offsets; /* ns from the begin, ascending; or NULL */
};

/* When child i of a schedule should start. */
static uint64_t scheduled_ns(const struct schedule *s, uint64_t begin_ns, uint64_t i)
{
	if (s->offsets)
		return begin_ns + s->offsets[i];
	return begin_ns + i / s->rate * NS_PER_S + i % s->rate * NS_PER_S / s->rate;
}

/* Reads a line for each child: ns from the begin, ascending. Returns the exit status. */
static int read_arrivals(const char *path, struct schedule *s)
{
	FILE *file = fopen(path, "re");
	uint64_t room = 0, ns, last_ns = 0, *more;
	char line[64], end;

	if (!file) {
		fprintf(stderr, "mitosis-launcher: cannot read %s: %s\n", path,
			strerror(errno));
		return 1;
	}
	while (fgets(line, sizeof(line), file)) {
		if (!s->offsets || s->count == room) {
			room = room ? 2 * room : 1024;
			more = realloc(s->offsets, room * sizeof(*more));
			if (!more) {
				fputs("mitosis-launcher: out of memory\n", stderr);
				fclose(file);
				return 1;
			}
			s->offsets = more;
		}
		if (sscanf(line, "%" SCNu64 "%c", &ns, &end) != 2 || end != '\n' ||
		    ns < last_ns || ns > ARRIVAL_NS_MAX) {
			fprintf(stderr,
				"mitosis-launcher: line %llu of %s must be the ns "
				"from the start to a child, at most an hour and not "
				"less than in the line before\n",
				(unsigned long long)s->count + 1, path);
			fclose(file);
			return 2;
		}
		s->offsets[s->count++] = last_ns = ns;
	}
	fclose(file);
	if (!s->count) {
		fprintf(stderr, "mitosis-launcher: %s has no line\n", path);
		return 2;
	}
	s->length_ns = last_ns;
	return 0;
}

/* The children of a schedule that the launcher was too slow to start: from i on. */
static void report_lost(const struct schedule *s, uint64_t begin_ns, uint64_t i,
			bool text)
{
	uint64_t gave_up_ns = now_ns();

	if (text && i < s->count)
		printf("lost %llu of %llu scheduled children\n",
		       (unsigned long long)(s->count - i),
		       (unsigned long long)s->count);
	for (; !text && i < s->count; i++) {
		uint64_t intended_ns = scheduled_ns(s, begin_ns, i);

		printf("lost %llu %llu\n",
		       (unsigned long long)(gave_up_ns - intended_ns),
		       (unsigned long long)intended_ns);
	}
}

/* A start that has failed. Returns the exit status. */
static int report_failure(const char *message)
{
	if (loop_stopped)
		return 0; /* a signal has ended the child, too */
	fprintf(stderr, "mitosis-launcher: %s\n", message);
	return 1;
}

/* What auto has chosen, behind the children. */
static void report_mode(const struct launch_plan *plan)
{
	if (plan->chooses_mode && plan->mode != MITOSIS_RESUME_AUTO)
		printf("mode %s\n", mode_name(plan->mode));
}

/*
 * Returns the exit status. A schedule goes on after its end until all its children
 * have started: those that wait then are the slowest ones. It gives up after as many
 * seconds again, at least one and at most DRAIN_SECONDS_MAX.
 */
static int run_time(struct launch_plan *plan, const struct loop_plan *loop,
		    const struct schedule *schedule, uint64_t begin_ns)
{
	uint64_t length_ns =
		schedule ? schedule->length_ns : loop->seconds * NS_PER_S;
	uint64_t end_ns = begin_ns + length_ns;
	struct second second = { .start_ns = begin_ns };
	char name[NAME_LENGTH + 1];
	char message[LAUNCH_MESSAGE_SIZE];
	uint64_t i, ended_ns = begin_ns;

	if (schedule && length_ns < NS_PER_S)
		end_ns += NS_PER_S;
	else if (schedule && length_ns > DRAIN_SECONDS_MAX * NS_PER_S)
		end_ns += DRAIN_SECONDS_MAX * NS_PER_S;
	else if (schedule)
		end_ns += length_ns;
	make_name(name);
	for (i = 0; !loop_stopped && ended_ns < end_ns; i++) {
		uint64_t intended_ns = ended_ns;
		struct launch_result r;

		if (schedule) {
			if (i == schedule->count)
				break;
			intended_ns = scheduled_ns(schedule, begin_ns, i);
			sleep_until(intended_ns);
		}
		if (loop_stopped || (loop->gated && abandoned()))
			break;
		if (launch(plan, &r, message, sizeof(message)))
			return report_failure(message);
		ended_ns = now_ns();
		second.latency_ns += ended_ns - intended_ns;
		second.count++;
		if (loop->text)
			report_second(&second, ended_ns, name);
		else
			printf("%llu %llu %llu\n",
			       (unsigned long long)(ended_ns - intended_ns),
			       (unsigned long long)intended_ns,
			       (unsigned long long)ended_ns);
		if (!loop->text && loop->gated)
			flush_often(ended_ns);
	}
	if (schedule && !loop_stopped && !(loop->gated && abandoned()))
		report_lost(schedule, begin_ns, i, loop->text);
	if (!loop->text)
		report_mode(plan);
	return 0;
}

/*
 * Returns the exit status. Afterwards it waits for the end of its input: what serves the
 * children's pages stays until then, and can be looked at.
 */
static int run_children(struct launch_plan *plan, const struct loop_plan *loop,
			uint64_t begin_ns)
{
	char message[LAUNCH_MESSAGE_SIZE];
	uint64_t i, start_ns = begin_ns;

	for (i = 0; i < loop->children && !loop_stopped && !abandoned(); i++) {
		struct launch_result r;
		uint64_t ended_ns;

		if (launch(plan, &r, message, sizeof(message)))
			return report_failure(message);
		ended_ns = now_ns();
		printf("%llu %llu %llu %llu\n", (unsigned long long)start_ns,
		       (unsigned long long)r.instruction_ns,
		       (unsigned long long)r.result_ns,
		       (unsigned long long)ended_ns);
		flush_often(ended_ns);
		start_ns = ended_ns;
	}
	report_mode(plan);
	fflush(stdout);
	while (!loop_stopped && fgets(message, sizeof(message), stdin))
		;
	return 0;
}

int loop_run(struct launch_plan *plan, const struct loop_plan *loop)
{
	struct schedule schedule = {
		.rate = loop->rate,
		.count = loop->seconds * loop->rate,
		.length_ns = loop->seconds * NS_PER_S,
	};
	uint64_t begin_ns;
	int err = 0;

	if (loop->arrivals)
		err = read_arrivals(loop->arrivals, &schedule);
	begin_ns = now_ns();
	/* So that all that is made once exists; a number of children includes that. */
	if (!err && loop->gated && !loop->children) {
		struct launch_result r;
		char message[LAUNCH_MESSAGE_SIZE];

		if (launch(plan, &r, message, sizeof(message)))
			err = report_failure(message);
	}
	if (!err && loop->gated)
		err = wait_at_gate(&begin_ns);
	if (!err && !loop_stopped)
		err = loop->children ? run_children(plan, loop, begin_ns)
				     : run_time(plan, loop,
						schedule.count ? &schedule : NULL,
						begin_ns);
	free(schedule.offsets);
	return err;
}
