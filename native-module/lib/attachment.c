// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/attachment.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fetch_descriptor.h"
#include "lib/fresh_state.h"
#include "lib/own_files.h"
#include "lib/path_map.h"
#include "lib/proxy.h"
#include "lib/resume.h"
#include "lib/resume_settings.h"
#include "lib/stream.h"
#include "local/channel.h"

/*
 * Inherited across fork, unlike a device: a forked process resumes by the attachment
 * of the process that forked it.
 */
struct mitosis_attachment {
	struct resume_settings
		settings; /* of its children; a plan uses the paths, too */
	bool automatic; /* for mode auto, which has chosen `settings.options.mode` */
	char why[256];	/* it has chosen no mode that forks; "" */
	char what[64];	/* for error messages */
	bool remote;
	int stream; /* to the shadow or pager; passes it further streams */
	struct restore_plan *plan; /* NULL: the snapshot forks the children */
	struct clone_files files;  /* without a plan */

	struct registry *registry;
	/* For a snapshot of this machine: its place in the registry. */
	uint32_t slot;
	uint64_t generation;
};

/* What it has open is not the program's. */
static void note_files(const struct mitosis_attachment *a, void (*note)(int fd))
{
	uint32_t i;

	note(a->stream);
	for (i = 0; a->plan && i < a->plan->open_file_count; i++)
		note(a->plan->open_files[i]);
}

/* Whether the snapshot can fork children at all, as far as it can be told before. */
static int check_forks(const struct mitosis_attachment *a)
{
	struct descriptor_header *d;
	uint64_t size;
	int err = fetch_descriptor(a->stream, a->what, &d, &size);

	if (err)
		return err;
	if (a->remote && !d->replica_entry)
		err = fail(-EOPNOTSUPP,
			   "%s is of a kernel module, which has no replicas; use "
			   "mode lazy, eager or cached",
			   a->what);
	free(d);
	return err;
}

static int try_create(struct daemon_link *link, const uint32_t *machine_id,
		      uint32_t handler_id, const struct resume_settings *settings,
		      bool automatic, struct mitosis_attachment **out)
{
	struct mitosis_attachment *a = calloc(1, sizeof(*a));
	struct registry_place place = { 0 };
	struct parent_rights parent = { 0 };
	bool forks = resume_forks(settings);
	/* Cached pages are kept by one server, on CPU 0. */
	uint32_t flags = forks && automatic ? LOCAL_LIKE_CALLER : 0;
	int cpu = settings->options.mode == MITOSIS_RESUME_CACHED ? 0
		  : forks && machine_id				  ? REPLICA_CPU
								  : sched_getcpu();
	int err;

	if (!a)
		return fail(-ENOMEM, "there is no memory for an attachment");
	a->settings = *settings;
	a->automatic = automatic;
	a->remote = machine_id;
	path_map_get(settings->paths);
	if (machine_id) {
		snprintf(a->what, sizeof(a->what), "snapshot %u of machine %u",
			 handler_id, *machine_id);
		err = daemon_link_attach_remote(link, *machine_id, handler_id, cpu,
						flags | (forks ? LOCAL_FORKS : 0),
						&a->stream);
	} else {
		snprintf(a->what, sizeof(a->what), "snapshot %u of this machine",
			 handler_id);
		err = daemon_link_attach(link, handler_id, cpu, flags, &a->stream,
					 &place, &parent);
	}
	if (err) {
		path_map_put(a->settings.paths);
		free(a);
		return err;
	}
	a->slot = place.slot;
	a->generation = place.generation;
	a->registry = registry_map_again(link->registry);
	if (!a->registry)
		err = fail(-ENOMEM, "there is no memory for an attachment");
	a->files.policy = settings->files;
	a->files.parent = parent;
	if (!err && forks && automatic)
		err = check_forks(a);
	if (!err && forks)
		err = channel_set_deadline(a->stream, 0);
	else if (!err)
		err = resume_plan_create(a->stream, settings, &parent, a->what,
					 &a->plan);
	if (err) {
		mitosis_detach(a);
		return err;
	}
	note_files(a, own_files_note);
	*out = a;
	return 0;
}

static int create(struct daemon_link *link, const uint32_t *machine_id,
		  uint32_t handler_id, const struct resume_settings *settings,
		  bool automatic, struct mitosis_attachment **out)
{
	int err, calls = 0;

	do
		err = try_create(link, machine_id, handler_id, settings, automatic,
				 out);
	while (machine_id && err == -ECONNRESET && daemon_link_calls_again(&calls));
	return err;
}

/* Of a mode that forks: whether children may do without. */
static bool concerns_forks(int err)
{
	return err == -EPERM || err == -EXDEV || err == -EOPNOTSUPP ||
	       err == -EINVAL;
}

static int create_automatically(struct daemon_link *link, const uint32_t *machine_id,
				uint32_t handler_id,
				const struct resume_settings *settings,
				struct mitosis_attachment **out)
{
	struct resume_settings chosen = *settings;
	char why[sizeof((*out)->why)];
	int err;

	chosen.options.mode =
		machine_id ? MITOSIS_RESUME_REPLICA : MITOSIS_RESUME_CLONE;
	err = resume_settings_check(&chosen);
	if (!err)
		err = create(link, machine_id, handler_id, &chosen, true, out);
	if (!concerns_forks(err))
		return err;
	snprintf(why, sizeof(why), "%s", mitosis_error());
	chosen.options.mode = MITOSIS_RESUME_LAZY;
	err = create(link, machine_id, handler_id, &chosen, true, out);
	if (!err)
		memcpy((*out)->why, why, sizeof(why));
	return err;
}

int attachment_create(struct daemon_link *link, const uint32_t *machine_id,
		      uint32_t handler_id, const struct resume_settings *settings,
		      struct mitosis_attachment **out)
{
	return settings->options.mode == MITOSIS_RESUME_AUTO
		       ? create_automatically(link, machine_id, handler_id, settings,
					      out)
		       : create(link, machine_id, handler_id, settings, false, out);
}

uint32_t mitosis_attachment_mode(const struct mitosis_attachment *a, char *why,
				 size_t size)
{
	if (size)
		snprintf(why, size, "%s", a->why);
	return a->settings.options.mode;
}

const struct restore_plan *attachment_plan(const struct mitosis_attachment *a)
{
	return a->plan;
}

uint32_t mitosis_attachment_window(const struct mitosis_attachment *a)
{
	return a->plan ? a->plan->page_request.window : 0;
}

void mitosis_detach(struct mitosis_attachment *a)
{
	if (!a)
		return;
	note_files(a, own_files_forget);
	if (a->plan)
		resume_plan_destroy(a->plan);
	if (a->registry)
		registry_unmap(a->registry);
	if (a->stream >= 0)
		close(a->stream);
	path_map_put(a->settings.paths);
	clone_files_free(&a->files);
	free(a);
}

/* The answer to the request for a fork says the same. */
static bool asks(const struct mitosis_attachment *a)
{
	return a->remote && (a->plan || a->automatic);
}

/* Passes one end of a new stream to the server of the snapshot. */
static int bring(const struct mitosis_attachment *a, int end)
{
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_JOIN,
		.flags = asks(a) ? SHADOW_JOIN_ASK : 0,
	};
	struct iovec part = { &request, sizeof(request) };

	return channel_send_fds(a->stream, &part, 1, &end, 1) == sizeof(request)
		       ? 0
		       : -ECONNRESET;
}

/* Returns a new stream for the caller, or -errno without a message. */
static int join(const struct mitosis_attachment *a)
{
	struct shadow_answer answer;
	int ends[2];
	int err = 0;

	if (!a->remote && !registry_holds(a->registry, a->slot, a->generation))
		return -ESTALE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	/* For answers: a process that becomes a child by a plan waits for none. */
	if (asks(a) || a->automatic)
		err = channel_set_deadline(ends[0], CHANNEL_DEADLINE_MS);
	if (!err)
		err = bring(a, ends[1]);
	close(ends[1]);
	if (!err && asks(a)) {
		err = stream_receive(ends[0], &answer, sizeof(answer));
		if (!err)
			err = answer.status;
	}
	if (!err)
		return ends[0];
	close(ends[0]);
	return err == -ENOENT || err == -ECONNRESET ? -ESTALE : err;
}

static int dropped(const struct mitosis_attachment *a)
{
	return fail(-ESTALE,
		    "%s has been dropped since this process attached to it; "
		    "detach and attach again",
		    a->what);
}

int mitosis_spawn(struct mitosis_attachment *a, const struct mitosis_spawn *child,
		  int *status)
{
	int err;

	if (a->plan)
		return fail(-EINVAL,
			    "mitosis_spawn() needs an attachment of mode clone "
			    "or replica; use mitosis_resume_attached()");
	if (child->flags & ~MITOSIS_SPAWN_INTO_CGROUP ||
	    (child->flags && child->cgroup_count != 2))
		return fail(
			-EINVAL,
			"the flags of mitosis_spawn() must be 0, or "
			"MITOSIS_SPAWN_INTO_CGROUP with two files of one control "
			"group (its cgroup.procs and its directory), got %#x and "
			"%u files",
			child->flags, child->cgroup_count);
	if (!a->remote && !registry_holds(a->registry, a->slot, a->generation))
		return dropped(a);
	err = run_clone(a->stream, a->registry, child, &a->files, a->what, status);
	if (!err)
		return 0;
	/* A child that it has forked ends with the stream. */
	close(a->stream);
	a->stream = -1;
	return err == -ESTALE ? dropped(a) : err;
}

/* The caller keeps what only a child that it becomes itself has of it. */
static int resume_lazily(const struct mitosis_attachment *a, int stream)
{
	struct resume_settings settings = a->settings;

	settings.options.mode = MITOSIS_RESUME_LAZY;
	return resume_from(stream, &settings, &a->files.parent, a->registry,
			   a->what);
}

int attachment_fetch(const struct mitosis_attachment *a,
		     struct descriptor_header **descriptor, uint64_t *lost)
{
	int stream = join(a), err;
	uint64_t size;

	if (stream == -ESTALE)
		return dropped(a);
	err = stream < 0 ? stream
			 : channel_set_deadline(stream, CHANNEL_DEADLINE_MS);
	if (err)
		fail(err, "no stream to %s: %s", a->what, strerror(-err));
	else
		err = fetch_descriptor(stream, a->what, descriptor, &size);
	if (stream >= 0)
		close(stream);
	if (err)
		return err;
	/* A replica lacks what a child of mode lazy lacks; but what its machine gives it is not known here. */
	*lost = a->remote ? fresh_state_lost(*descriptor)
			  : fresh_state_lost_by_clones(*descriptor);
	return 0;
}

int mitosis_resume_attached(struct mitosis_attachment *a)
{
	int stream = join(a), err;

	if (stream == -ESTALE)
		return dropped(a);
	if (stream < 0)
		return fail(stream, "no stream to %s: %s", a->what,
			    strerror(-stream));
	if (a->plan)
		return resume_run(a->plan, stream, a->registry, a->what);
	if (a->automatic)
		return resume_lazily(a, stream);
	if (!a->remote)
		return resume_by_clone(stream, a->registry, &a->files, a->what);
	err = resume_by_replica(stream, a->registry, &a->files, a->what);
	return err == -ESTALE ? dropped(a) : err;
}
