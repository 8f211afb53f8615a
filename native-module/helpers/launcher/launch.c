// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/launcher/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/report.h"

/* Exit status of a child that wrote its complaint. */
#define COMPLAINED_STATUS	124
#define SNAPSHOT_WORDS_SIZE	512

static volatile pid_t running;	/* for the deadline's handler */
static volatile sig_atomic_t too_late;

static void deadline(int signal)
{
	(void)signal;
	too_late = 1;
	if (running > 0)
		kill(running, SIGKILL);
}

int launch_init(struct launch_plan *plan)
{
	struct sigaction action = { .sa_handler = deadline };
	int report[2], complaint[2];

	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) ||
	    pipe2(complaint, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	/* Children inherit it where the parent's program expects it. */
	if (dup2(report[1], REPORT_FD_DEFAULT) < 0)
		return -errno;
	close(report[1]);
	plan->report_read = report[0];
	plan->report_write = REPORT_FD_DEFAULT;
	plan->complaint_read = complaint[0];
	plan->complaint_write = complaint[1];
	sigaction(SIGALRM, &action, NULL);
	return 0;
}

static void __attribute__((noreturn)) complain(const struct launch_plan *plan,
					       int err, const char *words)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%d %s", -err, words);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (write(plan->complaint_write, text, n) < 0)
		_exit(1);
	_exit(COMPLAINED_STATUS);
}

static int resume(const struct launch_plan *plan, struct mitosis *device)
{
	if (plan->attachment)
		return mitosis_resume_attached(plan->attachment);
	if (plan->remote)
		return mitosis_resume_remote(device, plan->machine_id,
					     plan->handler_id);
	return mitosis_resume_local(device, plan->handler_id);
}

static int begin_report(const struct launch_plan *plan)
{
	uint64_t before_ns = now_ns();

	return write(plan->report_write, &before_ns, sizeof(before_ns)) < 0 ? -errno :
									     0;
}

static void __attribute__((noreturn)) be_child(const struct launch_plan *plan)
{
	struct mitosis *device = NULL;
	int err;

	signal(SIGALRM, SIG_DFL);
	/* Before the root changes: the device lies outside. */
	if (!plan->empty && !plan->attachment) {
		err = mitosis_open(plan->backend, &device);
		if (!err)
			err = mitosis_set_resume_options(device, &plan->options);
		if (err)
			complain(plan, err, mitosis_error());
	}
	err = container_enter(&plan->container);
	if (err)
		complain(plan, err, "the container cannot be entered");
	if (plan->empty)
		_exit(0);
	err = begin_report(plan);
	if (err)
		complain(plan, err, "the report cannot be written");
	err = resume(plan, device);
	complain(plan, err, mitosis_error());
}

static int read_complaint(const struct launch_plan *plan, char *words,
			  size_t size)
{
	char text[512];
	ssize_t n = read(plan->complaint_read, text, sizeof(text) - 1);
	int err = 0, at = 0;

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%d %n", &err, &at) < 1) {
		snprintf(words, size, "the child ended without saying why");
		return -EIO;
	}
	snprintf(words, size, "%s", text + at);
	return err > 0 ? -err : -EIO;
}

/* Whose child it was: where to look when it could not go on. */
static void name_snapshot(const struct launch_plan *plan,
			  char words[SNAPSHOT_WORDS_SIZE])
{
	int n = snprintf(words, SNAPSHOT_WORDS_SIZE, "handler id %u of ",
			 plan->handler_id);

	n += plan->remote ? snprintf(words + n, SNAPSHOT_WORDS_SIZE - n,
				     "machine %u", plan->machine_id) :
			    snprintf(words + n, SNAPSHOT_WORDS_SIZE - n,
				     "this machine");
	if (plan->remote && plan->address)
		snprintf(words + n, SNAPSHOT_WORDS_SIZE - n, " at %s",
			 plan->address);
}

static int judge(struct launch_plan *plan, int status, char *words, size_t size)
{
	char snapshot[SNAPSHOT_WORDS_SIZE];

	if (!too_late && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	name_snapshot(plan, snapshot);
	if (too_late) {
		snprintf(words, size, "the child of %s had not ended after %d s and was "
			 "killed", snapshot, plan->deadline_s);
		return -ETIMEDOUT;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == COMPLAINED_STATUS)
		return read_complaint(plan, words, size);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		if (container_ran_out_of_memory(&plan->container)) {
			snprintf(words, size, "the child of %s was killed: its control "
				 "group is out of memory; raise the limit", snapshot);
			return -ENOMEM;
		}
		snprintf(words, size, "the child of %s was killed: what served its "
			 "pages has ended; if mitosisd had to end that, its log "
			 "(mitosisd.log) says why", snapshot);
		return -ECONNRESET;
	}
	if (WIFSIGNALED(status)) {
		snprintf(words, size, "the child of %s was ended by signal %d",
			 snapshot, WTERMSIG(status));
		return -EIO;
	}
	snprintf(words, size, "the child of %s exited with %d", snapshot,
		 WEXITSTATUS(status));
	return -EIO;
}

/*
 * Leaves the pipe empty for the next child. Returns how many bytes of words,
 * which have no end of their own, follow the child's numbers.
 */
static int read_report(const struct launch_plan *plan,
		       struct launch_result *result,
		       char words[REPORT_WORDS_MAX])
{
	struct {
		uint64_t before_ns;
		struct child_report child;
		char words[REPORT_WORDS_MAX];
	} __attribute__((packed)) r;
	const ssize_t numbers = sizeof(r) - sizeof(r.words);
	ssize_t n = read(plan->report_read, &r, sizeof(r));
	char rest[256];
	int i;

	while (read(plan->report_read, rest, sizeof(rest)) > 0)
		;
	if (n < numbers)
		return 0;
	result->resume_ns = r.child.resumed_ns - r.before_ns;
	result->execution_ns = r.child.execution_ns;
	result->first_result_ns = r.child.first_result_ns - r.before_ns;
	result->wrong = r.child.wrong;
	/* They become part of a line of ours. */
	for (i = 0; i < n - numbers; i++)
		words[i] = r.words[i] && r.words[i] != '\n' ? r.words[i] : ' ';
	return n - numbers;
}

/* With a device of its own: the daemon may be another one than at the start. */
static int attach(struct launch_plan *plan)
{
	struct mitosis *device;
	int err = mitosis_open(plan->backend, &device);

	if (err)
		return err;
	err = mitosis_set_resume_options(device, &plan->options);
	if (!err && plan->remote)
		err = mitosis_attach_remote(device, plan->machine_id,
					    plan->handler_id, &plan->attachment);
	else if (!err)
		err = mitosis_attach_local(device, plan->handler_id,
					   &plan->attachment);
	mitosis_close(device);
	return err;
}

/* By a process of this one's own. Returns 0 with its wait status, or -errno. */
static int run_child(const struct launch_plan *plan, int *status, char *words,
		     size_t size)
{
	pid_t pid = fork();

	if (pid == 0)
		be_child(plan);
	if (pid < 0) {
		int err = -errno;

		snprintf(words, size, "no process can be made: %s%s", strerror(-err),
			 err == -EAGAIN ? "; raise pids.max of the control group, or "
					  "ulimit -u" : "");
		return err;
	}
	running = pid;
	alarm(plan->deadline_s);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	running = 0;
	alarm(0);
	return 0;
}

/* The same for one that the snapshot forks. */
static int spawn_child(const struct launch_plan *plan, int *status, char *words,
		       size_t size)
{
	const int files[] = { 0, 1, 2, plan->report_write };
	struct mitosis_spawn child = {
		.files = files,
		.file_count = sizeof(files) / sizeof(files[0]),
	};
	int err = begin_report(plan);

	if (err) {
		snprintf(words, size, "the report cannot be written");
		return err;
	}
	container_describe(&plan->container, &child);
	alarm(plan->deadline_s);
	err = mitosis_spawn(plan->attachment, &child, status);
	alarm(0);
	if ((err == -EINTR && too_late) || err == -ECONNRESET) {
		*status = SIGKILL;	/* judge() says why */
		return 0;
	}
	if (err)
		snprintf(words, size, "%s", mitosis_error());
	return err;
}

/* As launch(), with `start_ns` as the time of the request. */
static int launch_once(struct launch_plan *plan, uint64_t start_ns,
		       struct launch_result *result, char *words, size_t size)
{
	bool spawns = plan->attachment &&
		      plan->options.mode == MITOSIS_RESUME_CLONE;
	char said[REPORT_WORDS_MAX];
	int status, err, said_bytes;

	memset(result, 0, sizeof(*result));
	too_late = 0;
	err = spawns ? spawn_child(plan, &status, words, size) :
		       run_child(plan, &status, words, size);
	result->startup_ns = now_ns() - start_ns;
	said_bytes = read_report(plan, result, said);
	if (err)
		return err;
	if (result->wrong) {
		snprintf(words, size, "%llu pages or results of the child of handler "
			 "id %u were not its parent's",
			 (unsigned long long)result->wrong, plan->handler_id);
		return -EIO;
	}
	err = judge(plan, status, words, size);
	if (err && said_bytes) {
		size_t used = strlen(words);

		snprintf(words + used, size - used, ": %.*s", said_bytes, said);
	}
	return err;
}

int launch(struct launch_plan *plan, struct launch_result *result, char *words,
	   size_t size)
{
	bool attaches = !plan->empty && plan->backend != MITOSIS_BACKEND_KERNEL;
	uint64_t start_ns = now_ns();
	int tries = 2;
	int err;

	do {
		if (attaches && !plan->attachment) {
			err = attach(plan);
			if (err) {
				snprintf(words, size, "%s", mitosis_error());
				return err;
			}
		}
		err = launch_once(plan, start_ns, result, words, size);
		/* Another snapshot may have the handler id by now. */
		if (err == -ESTALE || err == -ECONNRESET || err == -ETIMEDOUT ||
		    err == -EINTR) {
			mitosis_detach(plan->attachment);
			plan->attachment = NULL;
		}
	} while (err == -ESTALE && --tries);
	return err;
}
