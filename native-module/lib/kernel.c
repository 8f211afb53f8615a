// SPDX-License-Identifier: Apache-2.0
/* The kernel backend: the ioctl interface of include/uapi/mitosis.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/device.h"
#include "lib/error.h"
#include "lib/module_prepare.h"
#include "lib/module_resume.h"
#include "lib/own_files.h"
#include "lib/own_plan.h"
#include "lib/path_map.h"
#include "lib/remote.h"
#include "lib/resume_hooks.h"
#include "lib/resume_settings.h"
#include "local/address.h"
#include "local/gid.h"

int kernel_open_file(struct mitosis *device, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	own_files_note(fd);
	device->fd = fd;
	return 0;
}

int kernel_ioctl(int fd, uint64_t command, uint64_t argument)
{
	int result = ioctl(fd, command, argument);

	return result < 0 ? -errno : result;
}

static int module_refused(int err, const char *operation)
{
	return fail(err, "the mitosis module refused the %s: %s", operation,
		    strerror(-err));
}

static int call(struct mitosis *device, uint64_t command, uint64_t argument,
		const char *operation)
{
	int err = kernel_ioctl(device->fd, command, argument);

	return err < 0 ? module_refused(err, operation) : err;
}

static void kernel_close(struct mitosis *device)
{
	own_files_forget(device->fd);
	close(device->fd);
}

static int kernel_open(struct mitosis *device)
{
	int err = kernel_open_file(device, MITOSIS_DEVICE_PATH);

	if (err == -ENOENT)
		return fail(-ENODEV, "there is no %s: load the mitosis module",
			    MITOSIS_DEVICE_PATH);
	if (err)
		return fail(err, "%s cannot be opened: %s", MITOSIS_DEVICE_PATH,
			    strerror(-err));
	err = call(device, MITOSIS_NIL, 0, "nil call");
	if (err) {
		kernel_close(device);
		device->fd = -1;
	}
	return err;
}

static int kernel_nil(struct mitosis *device)
{
	return call(device, MITOSIS_NIL, 0, "nil call");
}

static int kernel_prepare(struct mitosis *device, uint32_t handler_id,
			  uint32_t flags, const struct descriptor_thread *thread)
{
	int refused, err;

	resume_hooks_set_snapshot(handler_id, 0);
	(void)thread; /* the module reads the registers itself */
	err = module_prepare(&device->kernel.parent, device->fd, handler_id, flags,
			     &device->prepare, resume_hooks_exist(),
			     &device->kernel.child, &refused);
	if (!err || !refused)
		return err;
	if (err == -EDQUOT || err == -ENOSPC)
		return fail(err,
			    "user %u cannot prepare handler id %u: it has %s as the "
			    "mitosis module's parameter %s allows; drop some "
			    "(mitosis-unprepare --all), or have CAP_SYS_RESOURCE",
			    geteuid(), handler_id,
			    err == -EDQUOT ? "as many snapshots"
					   : "as much memory in snapshots",
			    err == -EDQUOT ? "snapshots_per_user"
					   : "snapshot_percent_per_user");
	if (err == -ENOTTY)
		return fail(err,
			    "the mitosis module that is loaded is older than this "
			    "library, and prepares no process with threads or open "
			    "files; load the one of this release");
	return module_refused(err, "prepare");
}

static int kernel_unprepare(struct mitosis *device, uint32_t handler_id)
{
	return call(device, MITOSIS_IOC_UNPREPARE, (uintptr_t)&handler_id,
		    "unprepare");
}

static int kernel_list(struct mitosis *device, struct mitosis_snapshot *snapshots,
		       uint32_t capacity)
{
	struct mitosis_snapshot next = { 0 };
	uint32_t n = 0;

	for (;;) {
		int err =
			kernel_ioctl(device->fd, MITOSIS_IOC_NEXT, (uintptr_t)&next);

		if (err == -ENOENT)
			return n;
		if (err)
			return fail(err, "the mitosis module refused the list: %s",
				    strerror(-err));
		if (n < capacity)
			snapshots[n] = next;
		n++;
		if (next.handler_id++ == UINT32_MAX)
			return n;
	}
}

static int kernel_list_contents(struct mitosis *device, uint32_t handler_id,
				struct mitosis_contents *contents)
{
	int opened = call(device, MITOSIS_IOC_OPEN_LOCAL, (uintptr_t)&handler_id,
			  "contents");

	return opened < 0 ? opened : module_contents(opened, contents);
}

static int kernel_read(struct mitosis *device, uint32_t handler_id, uint64_t address,
		       void *buffer, size_t length)
{
	(void)device, (void)handler_id, (void)address, (void)buffer, (void)length;
	return fail(-ENOSYS, "the mitosis module does not let callers read a "
			     "snapshot; resume it");
}

static bool is_of_rdma(const char *address)
{
	return gid_is(address) || !strncmp(address, "rdma://", 7);
}

/*
 * The request of a GID is the original's, but for what that does not tell: the network
 * interface of a link-local one, and the first port, as nic_id 0 leaves it to the route.
 */
static void request_by_gid(const char *gid, struct mitosis_connect_req *request,
			   char *text, size_t size)
{
	int nic = local_nic_parse(gid + MITOSIS_GID_LENGTH);
	char host[INET6_ADDRSTRLEN], scope[16] = "", number[8] = "";
	struct local_address address;

	text[MITOSIS_GID_LENGTH] = '\0';
	request->nic_id = nic ? nic - 1 : 0;
	if (gid_to_address(gid, GID_DEVICES, &address) ||
	    (!address.scope && address.nic != 1))
		return;
	inet_ntop(AF_INET6, address.ip, host, sizeof(host));
	if (address.scope)
		snprintf(scope, sizeof(scope), "%%%u", address.scope);
	if (address.nic)
		snprintf(number, sizeof(number), "%%%u", address.nic - 1u);
	snprintf(text, size, "rdma://[%s%s]:%u%s", host, scope, address.port,
		 number);
}

static int connect_failed(int err, uint32_t machine_id, const char *address)
{
	if (err == -EPERM)
		return fail(err,
			    "user %u may not open the session to machine %u: all "
			    "users share it, so this needs CAP_NET_ADMIN in the "
			    "initial user namespace",
			    geteuid(), machine_id);
	if (err == -ENXIO)
		return remote_no_port(address);
	if (err == -EINVAL && !strncmp(address, "replica://", 10))
		return fail(err,
			    "the kernel module has no replicas, as '%s' needs; give "
			    "tcp://host:port, or use the user backend",
			    address);
	/* Of an address of RDMA that it does not know as one. */
	if (err == -ENODEV || (err == -EINVAL && !strncmp(address, "rdma://", 7)))
		return fail(-ENODEV,
			    "the loaded mitosis module has no RDMA for '%s'; load "
			    "mitosis_rdma, too, or give tcp://host:port",
			    address);
	if (err == -EPROTOTYPE && is_of_rdma(address))
		return fail(err,
			    "RDMA carries pages that are not sealed, so %s needs "
			    "the mitosis module with protection=handshake on both "
			    "machines",
			    address);
	return err;
}

/* The module resolves no names. Returns 0 with another text, or -errno with a message. */
static int resolve(char *text, size_t size)
{
	struct local_address address;
	char number[LOCAL_ADDRESS_TEXT_SIZE];
	int err = remote_address_parse(text, &address);

	if (err)
		return err;
	local_address_to_text(&address, number);
	/* A link-local address says nothing without its network interface. */
	if (address.transport != LOCAL_TRANSPORT_TCP || address.scope ||
	    !strcmp(number, text))
		return fail(-EINVAL,
			    "the mitosis module takes no address '%s'; give "
			    "tcp://host:port",
			    text);
	snprintf(text, size, "%s", number);
	return 0;
}

static int kernel_connect(struct mitosis *device, uint32_t machine_id,
			  const char *address)
{
	/* The original module copies MITOSIS_GID_LENGTH bytes whatever it gets. */
	char gid[256] = { 0 };
	struct mitosis_connect_req request = {
		.machine_id = machine_id,
		.gid = gid,
	};
	int err;

	if (strlen(address) >= sizeof(gid))
		return fail(-EINVAL, "the address is longer than %zu characters",
			    sizeof(gid) - 1);
	strcpy(gid, address);
	if (gid_is(address))
		request_by_gid(address, &request, gid, sizeof(gid));
	err = call(device, MITOSIS_CONNECT, (uintptr_t)&request, "connect");
	if (err == -EINVAL && !is_of_rdma(address) &&
	    strncmp(address, "replica://", 10))
		err = resolve(gid, sizeof(gid))
			      ?: call(device, MITOSIS_CONNECT, (uintptr_t)&request,
				      "connect");
	return err ? connect_failed(err, machine_id, address) : 0;
}

static int kernel_session_address(struct mitosis *device, uint32_t machine_id,
				  char address[MITOSIS_ADDRESS_SIZE])
{
	(void)device, (void)machine_id, (void)address;
	return fail(-ENOSYS, "the kernel module does not report the addresses of "
			     "machines; remember what was given to connect");
}

static int kernel_nil_rpc(struct mitosis *device, uint32_t machine_id)
{
	struct mitosis_remote_req request = { .machine_id = machine_id };

	return call(device, MITOSIS_NIL_RPC, (uintptr_t)&request, "nil RPC");
}

/* Returns MITOSIS_OPTION_*, or -errno with a message. */
static int mode_flags(uint32_t mode)
{
	switch (mode) {
	case MITOSIS_RESUME_LAZY:
	case MITOSIS_RESUME_AUTO:
		return 0;
	case MITOSIS_RESUME_EAGER:
		return MITOSIS_OPTION_EAGER;
	case MITOSIS_RESUME_CACHED:
		return MITOSIS_OPTION_CACHE;
	case MITOSIS_RESUME_CLONE:
	case MITOSIS_RESUME_REPLICA:
		return fail(-EOPNOTSUPP,
			    "the mitosis module has no modes clone and replica: its "
			    "local children share pages in every mode");
	default:
		return fail(-EINVAL,
			    "the resume mode must be between 0 and %u, got %u",
			    MITOSIS_RESUME_AUTO, mode);
	}
}

static int kernel_set_resume_options(struct mitosis *device,
				     const struct mitosis_resume_options *options)
{
	struct mitosis_options wanted = {
		.prefetch_pages = options->prefetch_pages,
	};
	int flags = mode_flags(options->mode);

	if (flags < 0)
		return flags;
	wanted.flags = flags;
	return call(device, MITOSIS_IOC_SET_OPTIONS, (uintptr_t)&wanted,
		    "resume options");
}

static int kernel_set_resume_files(struct mitosis *device, uint32_t files)
{
	device->kernel.resume.files = files;
	return 0;
}

static int kernel_set_child_options(struct mitosis *device,
				    const struct mitosis_child_options *options)
{
	const struct mitosis_resume_options resume = {
		.mode = options->mode,
		.prefetch_pages = options->prefetch_pages,
	};
	struct resume_settings wanted = device->kernel.resume;
	int err;

	path_map_get(wanted.paths);
	err = resume_settings_take_all(&wanted, options);
	/* Last, as the module's cannot be taken back. */
	if (!err)
		err = kernel_set_resume_options(device, &resume);
	path_map_put(err ? wanted.paths : device->kernel.resume.paths);
	if (!err)
		device->kernel.resume = wanted;
	return err;
}

static int cannot_confine(void)
{
	return fail(-EOPNOTSUPP,
		    "the mitosis module cannot confine children: it takes the "
		    "caller's rights at once; use the user backend");
}

static int kernel_set_confinement(struct mitosis *device,
				  const struct mitosis_confinement *confinement)
{
	(void)device;
	return confinement->confine ? cannot_confine() : 0;
}

static int
kernel_set_thread_confinement(struct mitosis *device,
			      const struct mitosis_thread_confinement *confinement)
{
	(void)device;
	return confinement->confine ? cannot_confine() : 0;
}

/* Explains the module's refusals: who asked, and what would permit it. */
static int resumed(int err, uint32_t handler_id)
{
	switch (err) {
	case -ENOEXEC:
		return fail(
			err,
			"a file that snapshot %u executes lies on a file system "
			"that "
			"is mounted noexec since prepare; the kernel's log names it",
			handler_id);
	case -EOPNOTSUPP:
		return fail(
			err,
			"snapshot %u comes from a process with a seccomp filter, "
			"which its children would lose; prepare before the "
			"filter is set",
			handler_id);
	case -EPERM:
		return fail(
			err,
			"user %u may not resume snapshot %u: that needs all user "
			"and group ids and the capabilities of its owner, or a "
			"token that its owner made; the kernel's log names the "
			"owner",
			geteuid(), handler_id);
	case -EUSERS:
		return fail(
			err,
			"the children of user %u have as many connections to "
			"other machines as the mitosis module's parameter "
			"connections_per_user allows; wait until some have "
			"ended, ask for the page cache, or have CAP_SYS_RESOURCE",
			geteuid());
	case -EBUSY:
		return fail(err,
			    "the machine of snapshot %u has as many connections as "
			    "its mitosis module's parameters connections and "
			    "connections_per_machine allow",
			    handler_id);
	default:
		return err;
	}
}

/* How a snapshot is opened, and the call of modules that open none. */
struct resume_calls {
	uint64_t open, open_argument;
	uint64_t resume, resume_argument;
};

static int become(struct mitosis *device, const struct resume_calls *calls,
		  uint32_t handler_id, const char *what, const char *operation)
{
	int opened = kernel_ioctl(device->fd, calls->open, calls->open_argument);
	int refused, err;

	if (opened == -ENOTTY)
		return resumed(call(device, calls->resume, calls->resume_argument,
				    operation),
			       handler_id);
	if (opened < 0)
		return resumed(module_refused(opened, operation), handler_id);
	err = module_resume(opened, &device->kernel.resume, what, &refused);
	return refused ? resumed(module_refused(err, operation), handler_id) : err;
}

static int kernel_resume_local(struct mitosis *device, uint32_t handler_id)
{
	const struct resume_calls calls = {
		.open = MITOSIS_IOC_OPEN_LOCAL,
		.open_argument = (uintptr_t)&handler_id,
		.resume = MITOSIS_RESUME_LOCAL,
		.resume_argument = handler_id,
	};
	char what[64];

	snprintf(what, sizeof(what), "snapshot %u of this machine", handler_id);
	return become(device, &calls, handler_id, what, "local resume");
}

static int kernel_resume_remote(struct mitosis *device, uint32_t machine_id,
				uint32_t handler_id)
{
	struct mitosis_remote_req request = {
		.machine_id = machine_id,
		.handler_id = handler_id,
	};
	const struct resume_calls calls = {
		.open = MITOSIS_IOC_OPEN_REMOTE,
		.open_argument = (uintptr_t)&request,
		.resume = MITOSIS_RESUME_REMOTE,
		.resume_argument = (uintptr_t)&request,
	};
	char what[64];

	snprintf(what, sizeof(what), "snapshot %u of machine %u", handler_id,
		 machine_id);
	return become(device, &calls, handler_id, what, "remote resume");
}

static int kernel_attach(struct mitosis *device, const uint32_t *machine_id,
			 uint32_t handler_id, struct mitosis_attachment **attachment)
{
	(void)device, (void)machine_id, (void)handler_id, (void)attachment;
	return fail(-ENOSYS, "the kernel backend has no attachments; resume without "
			     "one");
}

const struct backend kernel_backend = {
	.open = kernel_open,
	.close = kernel_close,
	.nil = kernel_nil,
	.prepare = kernel_prepare,
	.unprepare = kernel_unprepare,
	.list = kernel_list,
	.list_contents = kernel_list_contents,
	.read = kernel_read,
	.connect = kernel_connect,
	.session_address = kernel_session_address,
	.nil_rpc = kernel_nil_rpc,
	.set_resume_options = kernel_set_resume_options,
	.set_resume_files = kernel_set_resume_files,
	.set_child_options = kernel_set_child_options,
	.set_confinement = kernel_set_confinement,
	.set_thread_confinement = kernel_set_thread_confinement,
	.resume_local = kernel_resume_local,
	.resume_remote = kernel_resume_remote,
	.attach = kernel_attach,
};
