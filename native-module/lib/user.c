// SPDX-License-Identifier: Apache-2.0
/*
 * The user backend: a snapshot is a forked shadow process, and mitosisd does
 * what the kernel module does. See DESIGN.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/attachment.h"
#include "lib/daemon_link.h"
#include "lib/device.h"
#include "lib/error.h"
#include "lib/fetch_descriptor.h"
#include "lib/own_files.h"
#include "lib/path_map.h"
#include "lib/proxy.h"
#include "lib/remote.h"
#include "lib/resume_settings.h"
#include "lib/shadow.h"
#include "lib/shadow_start.h"
#include "lib/stream.h"
#include "lib/take_snapshot.h"
#include "local/address.h"
#include "local/channel.h"
#include "local/clock.h"
#include "local/registry.h"
#include "local/runtime_dir.h"
#include "proto/user/connection.h"
#include "paging/trace.h"

/*
 * Shadows that outlive their device, for a pinned snapshot or for children
 * that need their pages: still children of this process, so it must reap them
 * some time after they have ended.
 */
static struct orphan {
	struct orphan *next;
	pid_t pid;
} * orphans;
static pthread_mutex_t orphans_lock = PTHREAD_MUTEX_INITIALIZER;

static void add_orphan(pid_t pid)
{
	struct orphan *orphan = malloc(sizeof(*orphan));

	if (!orphan)
		return; /* it stays a zombie until this process ends */
	orphan->pid = pid;
	pthread_mutex_lock(&orphans_lock);
	orphan->next = orphans;
	orphans = orphan;
	pthread_mutex_unlock(&orphans_lock);
}

static void reap_orphans(void)
{
	struct orphan **link = &orphans;

	pthread_mutex_lock(&orphans_lock);
	while (*link) {
		struct orphan *orphan = *link;

		if (waitpid(orphan->pid, NULL, __WALL | WNOHANG) == 0) {
			link = &orphan->next;
			continue;
		}
		*link = orphan->next;
		free(orphan);
	}
	pthread_mutex_unlock(&orphans_lock);
}

static int user_open(struct mitosis *device)
{
	struct user_state *u = &device->user;
	int level = runtime_trace_level();
	struct child_limits limits;
	uint32_t shared_mib;
	char problem[128];
	int err = child_limits_read(&limits, problem, sizeof(problem));

	if (!err)
		err = shared_limit_read(&shared_mib, problem, sizeof(problem));
	if (err)
		return fail(err, "%s", problem);
	if (level < 0)
		return fail(level,
			    "MITOSIS_TRACE must be between 0 and %d, got '%s'",
			    RUNTIME_TRACE_LEVEL_MAX, secure_getenv("MITOSIS_TRACE"));
	reap_orphans();
	/* Checked here because a shadow that lacks them cannot report it. */
	if (access("/proc/self/smaps", R_OK) || access("/proc/self/mem", R_OK))
		return fail(-errno,
			    "/proc/self/smaps and /proc/self/mem are needed: "
			    "mount /proc, and do not make this process "
			    "undumpable (%s)",
			    strerror(errno));
	shadow_start_init();
	err = shadow_arena_create(&u->arena);
	if (err)
		return no_memory(err, "a device");
	err = daemon_link_open(&u->link);
	if (err) {
		shadow_arena_destroy(u->arena);
		return err;
	}
	u->arena->daemon = u->link.address;
	u->arena->trace_level = level;
	u->arena->limits = limits;
	u->arena->refusal.limit_mib = shared_mib;
	u->maps = -1;
	u->arena->registry = (uintptr_t)u->link.registry;
	u->arena->answer_ms = wire_deadline_ms();
	u->resume.options = (struct mitosis_resume_options){
		.mode = MITOSIS_RESUME_LAZY,
	};
	u->reserved.fd = -1;
	device->fd = u->link.channel;
	return 0;
}

/*
 * Reaps this device's shadow after the daemon has dropped its snapshot. One
 * that lingers for its children is left to reap_orphans(). The kernel sends no
 * signal for a shadow, and plain wait() does not see it.
 */
static void reap(struct user_state *u, bool lingers)
{
	pid_t pid = u->shadow;

	u->shadow = 0;
	if (lingers) {
		add_orphan(pid);
		return;
	}
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* As reap(), when there is no daemon to ask: waits up to a second for its end. */
static void reap_untold(struct user_state *u)
{
	int64_t deadline_ms = now_ms() + 1000;
	bool ended;

	while (!(ended = waitpid(u->shadow, NULL, __WALL | WNOHANG) != 0) &&
	       now_ms() < deadline_ms)
		usleep(1000);
	if (!ended)
		add_orphan(u->shadow);
	u->shadow = 0;
}

static void release_reserved(struct user_state *u)
{
	/* Not forgotten: the next note does it, and here it would cost a copied page. */
	if (u->reserved.fd >= 0)
		close(u->reserved.fd);
	u->reserved.fd = -1;
}

static void user_close(struct mitosis *device)
{
	struct user_state *u = &device->user;
	struct registry *registry = u->link.registry;
	bool pinned =
		u->shadow && registry_holds(registry, u->slot, u->generation) &&
		(registry->slots[u->slot].snapshot.flags & MITOSIS_SNAPSHOT_PINNED);
	int result;

	release_reserved(u);
	if (u->maps >= 0) {
		own_files_forget(u->maps);
		close(u->maps);
	}
	result = daemon_link_close(&u->link);
	if (u->shadow && result < 0)
		reap_untold(u);
	else if (u->shadow)
		reap(u, pinned || result & LOCAL_LINGERS);
	remote_close_all(&u->connections);
	path_map_put(u->resume.paths);
	shadow_arena_destroy(u->arena);
}

static int user_nil(struct mitosis *device)
{
	return channel_is_open(device->fd) ? 0 : daemon_link_gone();
}

/* True while the shadow holds a snapshot of this device. */
static bool busy(struct user_state *u)
{
	struct registry *registry = u->link.registry;

	if (!u->shadow)
		return false;
	if (waitpid(u->shadow, NULL, __WALL | WNOHANG) == 0) {
		if (registry_holds(registry, u->slot, u->generation))
			return true;
		reap_untold(u); /* another process unprepared it */
		return false;
	}
	/* It was killed, perhaps before the daemon knew it. */
	registry_free(registry, u->slot, u->generation);
	u->shadow = 0;
	return false;
}

static void trace_prepare(const struct user_state *u)
{
	struct trace trace;

	trace_open_by_environment(&trace, "parent", u->handler_id);
	trace(&trace, TRACE_STEPS, "has forked its shadow",
	      TRACE_NUMBER("shadow", u->shadow));
	trace_close(&trace);
}

static int registry_is_held(int err)
{
	return fail(err,
		    "another process of this user holds the registry of snapshots "
		    "for longer than %d ms; end that process, or try again",
		    SHARED_LOCK_DEADLINE_MS);
}

static int user_prepare(struct mitosis *device, uint32_t handler_id, uint32_t flags,
			const struct descriptor_thread *thread)
{
	struct user_state *u = &device->user;
	struct registry *registry = u->link.registry;
	struct shadow_arena *arena = u->arena;
	int slot, pid, err;

	if (!channel_is_open(device->fd))
		return daemon_link_gone();
	if (busy(u))
		return fail(-EBUSY,
			    "this device already holds the snapshot with "
			    "handler id %u; unprepare it first, or open "
			    "another device",
			    u->handler_id);
	if (u->reserved.fd < 0) {
		err = daemon_link_reserve(&u->link, &u->reserved);
		if (err)
			return err;
	}
	slot = registry_claim(registry, handler_id, flags, u->link.device,
			      u->reserved.number);
	if (slot == -EEXIST)
		return fail(slot,
			    "handler id %u is in use on this machine; choose "
			    "another or unprepare it",
			    handler_id);
	if (slot == -ENOSPC)
		return fail(slot,
			    "this machine already holds %u snapshots; "
			    "unprepare one",
			    REGISTRY_SLOTS);
	if (slot < 0)
		return registry_is_held(slot);

	arena->slot = slot;
	arena->handler_id = handler_id;
	arena->generation = registry_generation(registry, slot);
	arena->owner_pid = registry->slots[slot].snapshot.owner_pid;
	arena->channel = u->reserved.fd;
	arena->settings = device->prepare;
	pid = take_snapshot(arena, &u->maps, thread);
	/* It closes for mitosisd when the shadow ends. */
	release_reserved(u);
	if (pid < 0) {
		registry_free(registry, slot, arena->generation);
		return pid;
	}
	u->shadow = pid;
	u->handler_id = handler_id;
	if (arena->trace_level)
		trace_prepare(u);
	u->slot = slot;
	u->generation = arena->generation;
	if (!registry_publish(registry, slot, arena->generation, pid))
		return daemon_link_gone();
	return 0;
}

static int user_unprepare(struct mitosis *device, uint32_t handler_id)
{
	struct user_state *u = &device->user;
	struct local_message m = channel_message(LOCAL_UNPREPARE);
	int err;

	m.handler_id = handler_id;
	err = daemon_link_call(&u->link, &m, NULL);
	if (!err && u->shadow && u->handler_id == handler_id) {
		reap(u, m.flags & LOCAL_LINGERS);
		/* Here it costs no prepare anything. If it fails, prepare tries again. */
		if (u->reserved.fd < 0)
			daemon_link_reserve(&u->link, &u->reserved);
	}
	return err == -ENOENT ? daemon_link_unknown(handler_id) : err;
}

static void name_local(char what[64], uint32_t handler_id)
{
	snprintf(what, 64, "snapshot %u of this machine", handler_id);
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = ((const struct mitosis_snapshot *)a)->handler_id;
	uint32_t y = ((const struct mitosis_snapshot *)b)->handler_id;

	return (x > y) - (x < y);
}

static int user_list(struct mitosis *device, struct mitosis_snapshot *snapshots,
		     uint32_t capacity)
{
	struct registry *registry = device->user.link.registry;
	struct mitosis_snapshot all[REGISTRY_SLOTS];
	uint32_t i, n = 0;
	int err;

	if (!channel_is_open(device->fd))
		return daemon_link_gone();
	err = registry_lock(registry);
	if (err)
		return registry_is_held(err);
	for (i = 0; i < REGISTRY_SLOTS; i++)
		if (registry_state(registry, i) == SLOT_READY)
			all[n++] = registry->slots[i].snapshot;
	registry_unlock(registry);
	qsort(all, n, sizeof(all[0]), compare_ids);
	if (capacity)
		memcpy(snapshots, all,
		       (n < capacity ? n : capacity) * sizeof(all[0]));
	return n;
}

static int user_list_contents(struct mitosis *device, uint32_t handler_id,
			      struct mitosis_contents *contents)
{
	struct descriptor_header *d;
	char what[64];
	uint64_t size;
	int stream;
	int err = daemon_link_attach(&device->user.link, handler_id, ATTACH_ONCE, 0,
				     &stream, NULL, NULL);

	if (err)
		return err;
	name_local(what, handler_id);
	err = fetch_descriptor(stream, what, &d, &size);
	close(stream);
	if (err)
		return err;
	fetched_descriptor_count(d, contents);
	free(d);
	return 0;
}

static int user_read(struct mitosis *device, uint32_t handler_id, uint64_t address,
		     void *buffer, size_t length)
{
	size_t done = 0;
	int stream;
	int err = daemon_link_attach(&device->user.link, handler_id, ATTACH_ONCE, 0,
				     &stream, NULL, NULL);

	if (err)
		return err;
	while (!err && done < length) {
		size_t n = length - done;

		if (n > SHADOW_READ_MAX)
			n = SHADOW_READ_MAX;
		err = stream_read(stream, address + done, (char *)buffer + done, n);
		done += n;
	}
	close(stream);
	if (err == -EFAULT)
		return fail(err, "snapshot %u has no memory in all of %#llx+%zu",
			    handler_id, (unsigned long long)address, length);
	if (err)
		return fail(err, "the shadow of snapshot %u does not answer: %s",
			    handler_id, strerror(-err));
	return 0;
}

static int user_connect(struct mitosis *device, uint32_t machine_id,
			const char *address)
{
	return remote_connect(&device->user.link, machine_id, address);
}

static int user_session_address(struct mitosis *device, uint32_t machine_id,
				char text[MITOSIS_ADDRESS_SIZE])
{
	struct local_address address;
	int err = remote_session_address(&device->user.link, machine_id, &address);

	_Static_assert(MITOSIS_ADDRESS_SIZE >= LOCAL_ADDRESS_TEXT_SIZE,
		       "an address has room");
	if (!err)
		local_address_to_text(&address, text);
	return err;
}

static int user_nil_rpc(struct mitosis *device, uint32_t machine_id)
{
	return remote_nil_rpc(&device->user.link, &device->user.connections,
			      machine_id);
}

static int user_resume_local(struct mitosis *device, uint32_t handler_id)
{
	struct user_state *u = &device->user;
	struct clone_files files = { 0 };
	struct parent_rights parent;
	char what[64];
	int stream, err;

	err = resume_settings_check(&u->resume);
	if (err)
		return err;
	err = daemon_link_attach(&u->link, handler_id, ATTACH_ONCE, 0, &stream, NULL,
				 &parent);
	if (err)
		return err;
	name_local(what, handler_id);
	/* A snapshot of this machine needs no replica. */
	if (!resume_forks(&u->resume))
		return resume_from(stream, &u->resume, &parent, u->link.registry,
				   what);
	files.policy = u->resume.files;
	files.parent = parent;
	err = resume_by_clone(stream, u->link.registry, &files, what);
	clone_files_free(&files);
	return err;
}

static int user_set_resume_options(struct mitosis *device,
				   const struct mitosis_resume_options *options)
{
	return resume_settings_take_options(&device->user.resume, options);
}

static int user_set_resume_files(struct mitosis *device, uint32_t files)
{
	device->user.resume.files = files;
	return 0;
}

static int user_set_child_options(struct mitosis *device,
				  const struct mitosis_child_options *options)
{
	return resume_settings_take_all(&device->user.resume, options);
}

static int user_set_confinement(struct mitosis *device,
				const struct mitosis_confinement *confinement)
{
	device->user.resume.confinement = *confinement;
	return 0;
}

static int
user_set_thread_confinement(struct mitosis *device,
			    const struct mitosis_thread_confinement *confinement)
{
	device->user.resume.thread_confinement = *confinement;
	return 0;
}

static int clone_is_local(void)
{
	return fail(-EINVAL,
		    "resume mode clone is for snapshots of this machine; for "
		    "those of others there is mode replica");
}

static int user_resume_remote(struct mitosis *device, uint32_t machine_id,
			      uint32_t handler_id)
{
	struct user_state *u = &device->user;
	bool forks = resume_forks(&u->resume);
	char what[64];
	int stream, err, calls = 0;

	if (u->resume.options.mode == MITOSIS_RESUME_CLONE)
		return clone_is_local();
	err = resume_settings_check(&u->resume);
	if (err)
		return err;
	snprintf(what, sizeof(what), "snapshot %u of machine %u", handler_id,
		 machine_id);
	do {
		struct clone_files files = { .policy = u->resume.files };

		err = daemon_link_attach_remote(&u->link, machine_id, handler_id,
						forks ? REPLICA_CPU : ATTACH_ONCE,
						forks ? LOCAL_FORKS : 0, &stream);
		if (!err && forks)
			err = resume_by_replica(stream, u->link.registry, &files,
						what);
		else if (!err)
			err = resume_from(stream, &u->resume, NULL, u->link.registry,
					  what);
		clone_files_free(&files);
		/* A child that was forked may have done something. */
	} while (err == (forks ? -ESTALE : -ECONNRESET) &&
		 daemon_link_calls_again(&calls));
	return err;
}

static int user_attach(struct mitosis *device, const uint32_t *machine_id,
		       uint32_t handler_id, struct mitosis_attachment **attachment)
{
	struct user_state *u = &device->user;
	int err;

	if (machine_id && u->resume.options.mode == MITOSIS_RESUME_CLONE)
		return clone_is_local();
	err = resume_settings_check(&u->resume);
	return err ? err
		   : attachment_create(&u->link, machine_id, handler_id, &u->resume,
				       attachment);
}

const struct backend user_backend = {
	.open = user_open,
	.close = user_close,
	.nil = user_nil,
	.prepare = user_prepare,
	.unprepare = user_unprepare,
	.list = user_list,
	.list_contents = user_list_contents,
	.read = user_read,
	.connect = user_connect,
	.session_address = user_session_address,
	.nil_rpc = user_nil_rpc,
	.set_resume_options = user_set_resume_options,
	.set_resume_files = user_set_resume_files,
	.set_child_options = user_set_child_options,
	.set_confinement = user_set_confinement,
	.set_thread_confinement = user_set_thread_confinement,
	.resume_local = user_resume_local,
	.resume_remote = user_resume_remote,
	.attach = user_attach,
};
