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
#include "helpers/command_line.h"
#include "helpers/launcher/seccomp_filter.h"
#include "helpers/report.h"
#include "local/printable.h"

/* Exit status of a child that wrote its error. */
#define ERROR_STATUS	   124
#define SNAPSHOT_NAME_SIZE 512
#define REPORT_READS_MAX   4096

static volatile pid_t running; /* for the deadline's handler */
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
	int report[2], error[2];

	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) ||
	    pipe2(error, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	/* Children inherit it where the parent's program expects it. */
	if (dup2(report[1], REPORT_FD_DEFAULT) < 0)
		return -errno;
	close(report[1]);
	plan->report_read = report[0];
	plan->report_write = REPORT_FD_DEFAULT;
	plan->error_read = error[0];
	plan->error_write = error[1];
	sigaction(SIGALRM, &action, NULL);
	return 0;
}

static void __attribute__((noreturn))
report_error(const struct launch_plan *plan, int err, const char *message)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%d %s", -err, message);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (write(plan->error_write, text, n) < 0)
		_exit(1);
	_exit(ERROR_STATUS);
}

/* Opens a device that resumes as planned. Returns 0 or -errno with a message. */
static int open_device(const struct launch_plan *plan, struct mitosis **device)
{
	const struct strict *strict = &plan->container.strict;
	const struct mitosis_confinement confinement = {
		.confine = strict_confine,
		.argument = (void *)strict,
		.user = strict->user,
		.group = strict->user,
	};
	const struct mitosis_thread_confinement threads = {
		.size = sizeof(threads),
		.user_namespace = strict->user_namespace,
		.enter = strict_enter_namespace,
		.confine = strict_confine_threads,
		.argument = (void *)strict,
		.filter = seccomp_filter(),
	};
	int err = mitosis_open(plan->backend, device);

	if (!err)
		err = mitosis_set_child_options(*device, &plan->options);
	if (!err && plan->container.kind == CONTAINER_STRICT)
		err = mitosis_set_confinement(*device, &confinement);
	if (!err && plan->container.kind == CONTAINER_STRICT)
		err = mitosis_set_thread_confinement(*device, &threads);
	return err;
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

	return write(plan->report_write, &before_ns, sizeof(before_ns)) < 0 ? -errno
									    : 0;
}

static void __attribute__((noreturn)) be_child(const struct launch_plan *plan)
{
	struct mitosis *device = NULL;
	int err;

	/* Before the root changes: the device lies outside. */
	if (!plan->empty && !plan->attachment) {
		err = open_device(plan, &device);
		if (err)
			report_error(plan, err, mitosis_error());
	}
	err = container_enter(&plan->container);
	if (err)
		report_error(plan, err, "cannot enter the container");
	if (plan->empty && plan->container.kind == CONTAINER_STRICT) {
		err = strict_confine((void *)&plan->container.strict);
		if (err)
			report_error(plan, err, "cannot confine the container");
	}
	if (plan->empty)
		_exit(0);
	err = begin_report(plan);
	if (err)
		report_error(plan, err, "cannot write the report");
	err = resume(plan, device);
	report_error(plan, err, mitosis_error());
}

static int read_error(const struct launch_plan *plan, char *message, size_t size)
{
	char text[512];
	ssize_t n = read(plan->error_read, text, sizeof(text) - 1);
	int err = 0, at = 0;

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%d %n", &err, &at) < 1) {
		snprintf(message, size, "the child ended without an error message");
		return -EIO;
	}
	make_printable(text + at, strlen(text + at));
	snprintf(message, size, "%s", text + at);
	return err > 0 ? -err : -EIO;
}

/* Whose child it was: where to look when it could not go on. */
static void name_snapshot(const struct launch_plan *plan,
			  char message[SNAPSHOT_NAME_SIZE])
{
	int n = snprintf(message, SNAPSHOT_NAME_SIZE, "handler id %u of ",
			 plan->handler_id);

	n += plan->remote
		     ? snprintf(message + n, SNAPSHOT_NAME_SIZE - n, "machine %u",
				plan->machine_id)
		     : snprintf(message + n, SNAPSHOT_NAME_SIZE - n, "this machine");
	if (plan->remote && plan->address)
		snprintf(message + n, SNAPSHOT_NAME_SIZE - n, " at %s",
			 plan->address);
}

static int judge(struct launch_plan *plan, int status, char *message, size_t size)
{
	char snapshot[SNAPSHOT_NAME_SIZE];

	if (!too_late && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	name_snapshot(plan, snapshot);
	if (too_late) {
		snprintf(message, size,
			 "the child of %s had not ended after %d s and was "
			 "killed",
			 snapshot, plan->deadline_s);
		return -ETIMEDOUT;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == ERROR_STATUS)
		return read_error(plan, message, size);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		if (container_ran_out_of_memory(&plan->container)) {
			snprintf(message, size,
				 "the child of %s was killed: its control "
				 "group is out of memory; raise the limit",
				 snapshot);
			return -ENOMEM;
		}
		snprintf(message, size,
			 "the child of %s was killed: what served its "
			 "pages has ended; if mitosisd had to end that, its log "
			 "(mitosisd.log) says why",
			 snapshot);
		return -ECONNRESET;
	}
	if (WIFSIGNALED(status)) {
		snprintf(message, size, "the child of %s was ended by signal %d",
			 snapshot, WTERMSIG(status));
		return -EIO;
	}
	snprintf(message, size, "the child of %s exited with %d", snapshot,
		 WEXITSTATUS(status));
	return -EIO;
}

/* Returns how many bytes of what follows the child's numbers are times. */
static ssize_t read_times(const char *bytes, ssize_t size, uint64_t before_ns,
			  struct launch_result *result)
{
	struct child_times t;

	if (size < (ssize_t)sizeof(t))
		return 0;
	memcpy(&t, bytes, sizeof(t));
	if (t.magic != REPORT_TIMES_MAGIC)
		return 0;
	/* Of an attachment the descriptor was there before. */
	if (t.descriptor_ns > before_ns)
		result->descriptor_ns = t.descriptor_ns - before_ns;
	if (t.go_ns > before_ns) {
		result->born_ns = t.born_ns - before_ns;
		result->files_ns = t.files_ns - before_ns;
		result->mapped_ns = t.mapped_ns - before_ns;
		result->go_ns = t.go_ns - before_ns;
	}
	return sizeof(t);
}

/*
 * Leaves the pipe empty for the next child. Returns how many bytes of the message,
 * which have no end of their own, follow the child's numbers.
 */
static int read_report(const struct launch_plan *plan, struct launch_result *result,
		       char message[REPORT_MESSAGE_MAX])
{
	struct {
		uint64_t before_ns;
		struct child_report child;
		char rest[sizeof(struct child_times) + REPORT_MESSAGE_MAX];
	} __attribute__((packed)) r;
	const ssize_t numbers = sizeof(r) - sizeof(r.rest);
	ssize_t n = read(plan->report_read, &r, sizeof(r)), times;
	int reads = REPORT_READS_MAX;
	char rest[256];

	/* What it has left running may write on and on. */
	while (reads-- && read(plan->report_read, rest, sizeof(rest)) > 0)
		;
	if (n < numbers)
		return 0;
	result->resume_ns = r.child.resumed_ns - r.before_ns;
	result->execution_ns = r.child.execution_ns;
	result->first_result_ns = r.child.first_result_ns - r.before_ns;
	result->wrong = r.child.wrong;
	result->instruction_ns = r.child.resumed_ns;
	result->result_ns = r.child.first_result_ns;
	n -= numbers;
	times = read_times(r.rest, n, r.before_ns, result);
	n = n - times < REPORT_MESSAGE_MAX ? n - times : REPORT_MESSAGE_MAX;
	/* It becomes part of a line, and may come from a stranger's code. */
	memcpy(message, r.rest + times, n);
	make_printable(message, n);
	return n;
}

/* In one line. */
static void tell_losses(const struct mitosis_attachment *attachment)
{
	char text[4096], *line_end;

	if (mitosis_resume_report(attachment, text, sizeof(text)) <= 0)
		return;
	while ((line_end = strchr(text, '\n')))
		*line_end = line_end[1] ? ';' : '\0';
	fprintf(stderr,
		"mitosis-launcher: children have not all of their parent: %s\n",
		text);
}

/* A default that depends on the snapshot. */
static void tell_window(const struct launch_plan *plan)
{
	uint32_t window = mitosis_attachment_window(plan->attachment);

	if (!plan->options.prefetch_pages &&
	    window == MITOSIS_PREFETCH_PAGES_THREADS)
		fprintf(stderr,
			"mitosis-launcher: children get %u pages per fault, because "
			"the snapshot has several threads; --prefetch sets another "
			"number\n",
			window);
}

/* Of mode auto: once for each. */
static void choose(struct launch_plan *plan, uint32_t mode, const char *why)
{
	if (plan->mode == mode)
		return;
	plan->mode = mode;
	fprintf(stderr, "mitosis-launcher: resume mode auto is %s here%s%s\n",
		mode_name(mode), *why ? ": " : "", why);
}

static void detach(struct launch_plan *plan)
{
	mitosis_detach(plan->attachment);
	plan->attachment = NULL;
}

/* From now on, in mode auto, processes of this one's own become the children. */
static void give_up_forks(struct launch_plan *plan, const char *why)
{
	detach(plan);
	choose(plan, MITOSIS_RESUME_LAZY, why);
	plan->options.mode = MITOSIS_RESUME_LAZY;
}

/* With a device of its own: the daemon may be another one than at the start. */
static int attach(struct launch_plan *plan)
{
	struct mitosis *device = NULL;
	char why[512];
	int err = open_device(plan, &device);

	if (!err && plan->remote)
		err = mitosis_attach_remote(device, plan->machine_id,
					    plan->handler_id, &plan->attachment);
	else if (!err)
		err = mitosis_attach_local(device, plan->handler_id,
					   &plan->attachment);
	mitosis_close(device);
	if (err)
		return err;
	tell_losses(plan->attachment);
	tell_window(plan);
	if (plan->options.mode == MITOSIS_RESUME_AUTO) {
		uint32_t mode =
			mitosis_attachment_mode(plan->attachment, why, sizeof(why));

		if (mode == MITOSIS_RESUME_LAZY)
			plan->options.mode = mode;
		choose(plan, mode, why);
	}
	return 0;
}

/* By a process of this one's own. Returns 0 with its wait status, or -errno. */
static int run_child(struct launch_plan *plan, int *status, char *message,
		     size_t size)
{
	pid_t pid = container_fork(&plan->container);

	if (pid == 0)
		be_child(plan);
	if (pid < 0) {
		int err = -errno;

		snprintf(message, size, "cannot create a process: %s%s",
			 strerror(-err),
			 err == -EAGAIN
				 ? "; raise pids.max of the control group, or "
				   "ulimit -u"
				 : "");
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
static int spawn_child(struct launch_plan *plan, int *status, char *message,
		       size_t size)
{
	const int files[] = { 0, 1, 2, plan->report_write };
	struct mitosis_spawn child = {
		.files = files,
		.file_count = sizeof(files) / sizeof(files[0]),
		.deadline_ms = plan->deadline_s * 1000,
	};
	int err = begin_report(plan);

	if (err) {
		snprintf(message, size, "cannot write the report");
		return err;
	}
	container_describe(&plan->container, &child);
	err = mitosis_spawn(plan->attachment, &child, status);
	if (err == -ETIME)
		too_late = 1;
	if (err == -ETIME || err == -ECONNRESET) {
		*status = SIGKILL; /* judge() says why */
		return 0;
	}
	if (err)
		snprintf(message, size, "%s", mitosis_error());
	/* There is no child. */
	plan->refused = err && err != -ESTALE;
	return err;
}

/* As launch(), with `start_ns` as the time of the request. */
static int launch_once(struct launch_plan *plan, uint64_t start_ns,
		       struct launch_result *result, char *message, size_t size)
{
	bool spawns = plan->attachment && launch_forks(plan);
	char child_message[REPORT_MESSAGE_MAX];
	int status = 0, err, cleared, message_bytes;

	memset(result, 0, sizeof(*result));
	too_late = 0;
	plan->refused = false;
	err = spawns ? spawn_child(plan, &status, message, size)
		     : run_child(plan, &status, message, size);
	result->startup_ns = now_ns() - start_ns;
	cleared = container_clear(&plan->container);
	message_bytes = read_report(plan, result, child_message);
	if (err)
		return err;
	if (cleared) {
		snprintf(message, size,
			 "what the child of handler id %u has left in the container "
			 "does not end; start another launcher",
			 plan->handler_id);
		return cleared;
	}
	if (result->wrong) {
		snprintf(message, size,
			 "%llu pages or results of the child of handler "
			 "id %u were not its parent's",
			 (unsigned long long)result->wrong, plan->handler_id);
		return -EIO;
	}
	err = judge(plan, status, message, size);
	if (err && message_bytes) {
		size_t used = strlen(message);

		snprintf(message + used, size - used, ": %.*s", message_bytes,
			 child_message);
	}
	return err;
}

/*
 * An attachment opens the parent's files where it is made. With a root directory of
 * its own, each child opens them itself, in there; a clone opens none.
 */
static bool attaches(const struct launch_plan *plan)
{
	bool may_fork =
		launch_forks(plan) || plan->options.mode == MITOSIS_RESUME_AUTO;

	return !plan->empty && plan->backend != MITOSIS_BACKEND_KERNEL &&
	       (may_fork || !container_has_own_root(&plan->container));
}

int launch(struct launch_plan *plan, struct launch_result *result, char *message,
	   size_t size)
{
	uint64_t start_ns = now_ns();
	int tries = 2;
	bool again;
	int err;

	do {
		if (attaches(plan) && !plan->attachment) {
			err = attach(plan);
			if (err) {
				snprintf(message, size, "%s", mitosis_error());
				return err;
			}
		}
		if (!attaches(plan))
			detach(plan);
		err = launch_once(plan, start_ns, result, message, size);
		again = err == -ESTALE;
		/* Another snapshot may have the handler id by now. */
		if (err == -ESTALE || err == -ECONNRESET || err == -ETIMEDOUT)
			detach(plan);
		if (plan->refused && plan->options.mode == MITOSIS_RESUME_AUTO) {
			give_up_forks(plan, message);
			again = true;
		}
	} while (again && --tries);
	return err;
}

int launch_alone(struct launch_plan *plan, struct launch_result *result,
		 char *message, size_t size)
{
	struct mitosis_attachment *attachment = plan->attachment;
	int err;

	plan->attachment = NULL;
	err = launch_once(plan, now_ns(), result, message, size);
	plan->attachment = attachment;
	return err;
}
