// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/device.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/child_options.h"
#include "lib/confinement.h"
#include "lib/error.h"
#include "lib/prepare_hooks.h"
#include "lib/resume_hooks.h"

#define DEVICE_MAGIC 0x5645444du

static struct mitosis *device_alloc(void)
{
	struct mitosis *device = mmap(NULL, sizeof(*device), PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (device == MAP_FAILED)
		return NULL;
	if (madvise(device, sizeof(*device), MADV_WIPEONFORK)) {
		munmap(device, sizeof(*device));
		return NULL;
	}
	pthread_mutex_init(&device->lock, NULL);
	device->fd = -1;
	return device;
}

static int open_backend(struct mitosis *device, enum mitosis_backend backend)
{
	int err;

	device->backend = backend;
	device->ops =
		backend == MITOSIS_BACKEND_KERNEL ? &kernel_backend : &user_backend;
	err = device->ops->open(device);
	if (!err)
		device->magic = DEVICE_MAGIC;
	return err;
}

static int open_any(struct mitosis *device, int backend)
{
	if (backend != MITOSIS_BACKEND_AUTO)
		return open_backend(device, backend);
	return open_backend(device, MITOSIS_BACKEND_KERNEL)
		       ? open_backend(device, MITOSIS_BACKEND_USER)
		       : 0;
}

int mitosis_open(int backend, struct mitosis **out)
{
	struct mitosis *device;
	int err;

	if (!out)
		return fail(-EINVAL, "the device pointer is NULL");
	*out = NULL;
	if (backend < MITOSIS_BACKEND_AUTO || backend > MITOSIS_BACKEND_USER)
		return fail(-EINVAL,
			    "the backend must be 0 (auto), 1 (kernel) or 2 (user), "
			    "got %d",
			    backend);
	device = device_alloc();
	if (!device)
		return no_memory(-ENOMEM, "a device");
	err = prepare_settings_init(&device->prepare);
	if (!err)
		err = open_any(device, backend);
	if (err) {
		munmap(device, sizeof(*device));
		return err;
	}
	*out = device;
	return 0;
}

int mitosis_open_module(const char *path, struct mitosis **out)
{
	struct mitosis *device;
	int err;

	if (!out)
		return fail(-EINVAL, "the device pointer is NULL");
	*out = NULL;
	device = device_alloc();
	if (!device)
		return no_memory(-ENOMEM, "a device");
	err = prepare_settings_init(&device->prepare);
	if (!err) {
		err = kernel_open_file(device, path);
		if (err)
			fail(err, "%s cannot be opened: %s", path, strerror(-err));
	}
	if (err) {
		munmap(device, sizeof(*device));
		return err;
	}
	device->backend = MITOSIS_BACKEND_KERNEL;
	device->ops = &kernel_backend;
	device->magic = DEVICE_MAGIC;
	*out = device;
	return 0;
}

static int device_get(struct mitosis *device)
{
	if (!device || device->magic != DEVICE_MAGIC)
		return fail(-EBADF, "the device is not open in this process; "
				    "a forked or resumed child opens its own");
	pthread_mutex_lock(&device->lock);
	return 0;
}

static int device_put(struct mitosis *device, int result)
{
	pthread_mutex_unlock(&device->lock);
	return result;
}

int mitosis_module_ioctl(struct mitosis *device, uint64_t command, uint64_t argument)
{
	int err = device_get(device);

	if (err)
		return err;
	if (device->backend != MITOSIS_BACKEND_KERNEL)
		return device_put(device, fail(-EINVAL,
					       "ioctl commands need a device of the "
					       "kernel backend"));
	return device_put(device, kernel_ioctl(device->fd, command, argument));
}

int mitosis_close(struct mitosis *device)
{
	if (!device)
		return 0;
	if (!device_get(device)) {
		device->magic = 0;
		device->ops->close(device);
		device_put(device, 0);
	}
	munmap(device, sizeof(*device));
	return 0;
}

int mitosis_backend(const struct mitosis *device)
{
	return device->backend;
}

int mitosis_nil(struct mitosis *device)
{
	int err = device_get(device);

	return err ? err : device_put(device, device->ops->nil(device));
}

/* What prepare_entry.S relies on. */
_Static_assert(offsetof(struct descriptor_thread, rsp) == 48, "rsp");
_Static_assert(offsetof(struct descriptor_thread, rip) == 56, "rip");
_Static_assert(offsetof(struct descriptor_thread, mxcsr) == 64, "mxcsr");
_Static_assert(offsetof(struct descriptor_thread, x87_control) == 68, "x87");
_Static_assert(sizeof(struct descriptor_thread) <= 216, "THREAD_SIZE");
_Static_assert(MITOSIS_SNAPSHOT_PINNED == 1, "FLAG_PINNED");

/* Called by the entry points in prepare_entry.S. */
int prepare_captured(struct mitosis *device, uint32_t handler_id, uint32_t flags,
		     const struct descriptor_thread *thread)
	__attribute__((visibility("hidden")));

int prepare_captured(struct mitosis *device, uint32_t handler_id, uint32_t flags,
		     const struct descriptor_thread *thread)
{
	int err = device_get(device);
	unsigned int called;

	if (err)
		return err;
	/* Hooks may use the device. */
	device_put(device, 0);
	err = prepare_hooks_before(handler_id, &called);
	if (err)
		return err;
	err = device_get(device);
	if (!err) {
		err = device->ops->prepare(device, handler_id, flags, thread);
		/* Wiped: a child of the kernel module, which starts behind its system call. */
		if (!err && device->magic != DEVICE_MAGIC) {
			resume_hooks_run(device->kernel.child.number,
					 device->kernel.child.machine_id, NULL);
			return 0;
		}
		device_put(device, err);
	}
	prepare_hooks_after(handler_id, called, err);
	return err;
}

int mitosis_unprepare(struct mitosis *device, uint32_t handler_id)
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device, device->ops->unprepare(device, handler_id));
}

int mitosis_list(struct mitosis *device, struct mitosis_snapshot *snapshots,
		 uint32_t capacity)
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device, device->ops->list(device, snapshots, capacity));
}

int mitosis_list_contents(struct mitosis *device, uint32_t handler_id,
			  struct mitosis_contents *contents)
{
	struct mitosis_contents known = { 0 };
	int err = device_get(device);
	uint32_t size;

	if (err)
		return err;
	if (!contents || contents->size < 2 * sizeof(uint32_t) ||
	    contents->size > 4096)
		return device_put(device,
				  fail(-EINVAL,
				       "contents must say their size, sizeof(struct "
				       "mitosis_contents), got %u",
				       contents ? contents->size : 0));
	err = device->ops->list_contents(device, handler_id, &known);
	if (!err) {
		size = contents->size;
		known.size = size;
		memset(contents, 0, size);
		memcpy(contents, &known,
		       size < sizeof(known) ? size : sizeof(known));
	}
	return device_put(device, err);
}

int mitosis_read(struct mitosis *device, uint32_t handler_id, uint64_t address,
		 void *buffer, size_t length)
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device, device->ops->read(device, handler_id, address,
						    buffer, length));
}

int mitosis_connect(struct mitosis *device, uint32_t machine_id, const char *address)
{
	int err = device_get(device);

	if (err)
		return err;
	if (!address)
		return device_put(device, fail(-EINVAL, "the address is NULL"));
	return device_put(device, device->ops->connect(device, machine_id, address));
}

int mitosis_session_address(struct mitosis *device, uint32_t machine_id,
			    char address[MITOSIS_ADDRESS_SIZE])
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device,
			  device->ops->session_address(device, machine_id, address));
}

int mitosis_nil_rpc(struct mitosis *device, uint32_t machine_id)
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device, device->ops->nil_rpc(device, machine_id));
}

int mitosis_set_prepare_options(struct mitosis *device,
				const struct mitosis_prepare_options *options)
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device, prepare_settings_take(&device->prepare, options));
}

int mitosis_set_resume_options(struct mitosis *device,
			       const struct mitosis_resume_options *options)
{
	int err = device_get(device);

	if (err)
		return err;
	if (!options)
		return device_put(device, fail(-EINVAL, "the options are NULL"));
	return device_put(device, device->ops->set_resume_options(device, options));
}

static int check_files(uint32_t files)
{
	return files <= MITOSIS_FILES_PRIVATE
		       ? 0
		       : fail(-EINVAL,
			      "files must be 0 (refuse), 1 (share) or 2 (private), "
			      "got %u",
			      files);
}

int mitosis_set_resume_files(struct mitosis *device, uint32_t files)
{
	int err = device_get(device);

	if (err)
		return err;
	err = check_files(files);
	if (!err)
		err = device->ops->set_resume_files(device, files);
	return device_put(device, err);
}

int mitosis_set_child_options(struct mitosis *device,
			      const struct mitosis_child_options *given)
{
	struct mitosis_child_options options;
	int err = device_get(device);

	if (err)
		return err;
	err = child_options_read(given, &options);
	if (!err)
		err = check_files(options.files);
	if (!err)
		err = device->ops->set_child_options(device, &options);
	return device_put(device, err);
}

int mitosis_set_confinement(struct mitosis *device,
			    const struct mitosis_confinement *confinement)
{
	static const struct mitosis_confinement none;
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device,
			  device->ops->set_confinement(
				  device, confinement ? confinement : &none));
}

int mitosis_set_thread_confinement(struct mitosis *device,
				   const struct mitosis_thread_confinement *given)
{
	struct mitosis_thread_confinement confinement = { 0 };
	int err = device_get(device);

	if (err)
		return err;
	err = given ? thread_confinement_read(given, &confinement) : 0;
	if (!err)
		err = device->ops->set_thread_confinement(device, &confinement);
	return device_put(device, err);
}

int mitosis_resume_local(struct mitosis *device, uint32_t handler_id)
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device, device->ops->resume_local(device, handler_id));
}

int mitosis_resume_remote(struct mitosis *device, uint32_t machine_id,
			  uint32_t handler_id)
{
	int err = device_get(device);

	if (err)
		return err;
	return device_put(device, device->ops->resume_remote(device, machine_id,
							     handler_id));
}

static int attach(struct mitosis *device, const uint32_t *machine_id,
		  uint32_t handler_id, struct mitosis_attachment **attachment)
{
	int err = device_get(device);

	if (err)
		return err;
	if (!attachment)
		return device_put(device,
				  fail(-EINVAL, "the attachment pointer is NULL"));
	*attachment = NULL;
	return device_put(device, device->ops->attach(device, machine_id, handler_id,
						      attachment));
}

int mitosis_attach_local(struct mitosis *device, uint32_t handler_id,
			 struct mitosis_attachment **attachment)
{
	return attach(device, NULL, handler_id, attachment);
}

int mitosis_attach_remote(struct mitosis *device, uint32_t machine_id,
			  uint32_t handler_id,
			  struct mitosis_attachment **attachment)
{
	return attach(device, &machine_id, handler_id, attachment);
}

const char *mitosis_version(void)
{
	return MITOSIS_VERSION;
}
