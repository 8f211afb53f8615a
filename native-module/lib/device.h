/* SPDX-License-Identifier: Apache-2.0 */
/* An open device, and the functions of each backend. */
#ifndef LIB_DEVICE_H
#define LIB_DEVICE_H

#include <pthread.h>
#include <stdint.h>

#include "lib/daemon_link.h"
#include "lib/module_prepare.h"
#include "lib/prepare_settings.h"
#include "lib/remote.h"
#include "lib/resume.h"
#include "lib/shadow.h"
#include "libmitosis.h"
#include "proto/descriptor.h"

/* State of a device on the user backend. */
struct user_state {
	struct daemon_link link;
	struct shadow_arena *arena;
	struct reserved_channel reserved; /* for the next shadow */
	int maps;     /* of shared_memory_exists(): -1 until the first prepare */
	pid_t shadow; /* our child until it is reaped; 0: none */
	uint32_t handler_id; /* of the snapshot the shadow holds */
	uint32_t slot;
	uint64_t generation;
	struct resume_settings resume;
	struct remote_connections connections;
};

/* State of a device on the kernel backend. */
struct kernel_state {
	struct module_parent parent;
	struct registry_child child; /* in a child: what it is told */
	struct resume_settings resume;
};

/*
 * Lies in a mapping of its own that is wiped on fork: in a forked or resumed
 * child the magic is 0 and every call returns -EBADF. A wiped mapping is
 * not copied on write, so writing to it after a prepare costs no page fault.
 */
struct mitosis {
	uint32_t magic;
	enum mitosis_backend backend;
	const struct backend *ops;
	pthread_mutex_t lock;
	int fd; /* the kernel's device, or the channel to mitosisd */
	struct prepare_settings prepare;
	struct user_state user;
	struct kernel_state kernel;
};

/*
 * What mitosis_*() does on a backend. Called with the lock held and checked
 * arguments; each returns 0 (or a count) or -errno, with fail()'s message.
 */
struct backend {
	int (*open)(struct mitosis *device);
	void (*close)(struct mitosis *device);
	int (*nil)(struct mitosis *device);
	/* `thread` holds the caller's preserved registers and return address. */
	int (*prepare)(struct mitosis *device, uint32_t handler_id, uint32_t flags,
		       const struct descriptor_thread *thread);
	int (*unprepare)(struct mitosis *device, uint32_t handler_id);
	int (*list)(struct mitosis *device, struct mitosis_snapshot *snapshots,
		    uint32_t capacity);
	int (*list_contents)(struct mitosis *device, uint32_t handler_id,
			     struct mitosis_contents *contents);
	int (*read)(struct mitosis *device, uint32_t handler_id, uint64_t address,
		    void *buffer, size_t length);
	int (*connect)(struct mitosis *device, uint32_t machine_id,
		       const char *address);
	int (*session_address)(struct mitosis *device, uint32_t machine_id,
			       char address[MITOSIS_ADDRESS_SIZE]);
	int (*nil_rpc)(struct mitosis *device, uint32_t machine_id);
	int (*set_resume_options)(struct mitosis *device,
				  const struct mitosis_resume_options *options);
	int (*set_resume_files)(struct mitosis *device, uint32_t files);
	/* Checked ones: all of them or, on an error, none. */
	int (*set_child_options)(struct mitosis *device,
				 const struct mitosis_child_options *options);
	int (*set_confinement)(struct mitosis *device,
			       const struct mitosis_confinement *confinement);
	int (*set_thread_confinement)(
		struct mitosis *device,
		const struct mitosis_thread_confinement *confinement);
	int (*resume_local)(struct mitosis *device, uint32_t handler_id);
	int (*resume_remote)(struct mitosis *device, uint32_t machine_id,
			     uint32_t handler_id);
	/* To a snapshot of this machine, or of *machine_id unless that is NULL. */
	int (*attach)(struct mitosis *device, const uint32_t *machine_id,
		      uint32_t handler_id, struct mitosis_attachment **attachment);
};

/* Opens the module's device at a path as the device's file. Returns 0 or -errno. */
int kernel_open_file(struct mitosis *device, const char *path);
/* Returns what ioctl(2) returns, or -errno. */
int kernel_ioctl(int fd, uint64_t command, uint64_t argument);

extern const struct backend kernel_backend;
extern const struct backend user_backend;

#endif /* LIB_DEVICE_H */
