/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmitosis: remote fork for a calling process, on the kernel module or on
 * the embedded user-space backend.
 *
 * Functions that return int return 0 (or a count) on success and -errno on
 * failure; mitosis_error() then returns a message that says what to do. A device is
 * one caller, as an open file of the kernel module is; it holds at most one
 * snapshot. Calls on one device from several threads are carried out one after
 * the other. In a resumed child the parent's devices are closed: every call on
 * them returns -EBADF, and mitosis_close() only frees them.
 */
#ifndef LIBMITOSIS_H
#define LIBMITOSIS_H

#include <stddef.h>
#include <stdint.h>

#include "uapi/mitosis.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct mitosis;

enum mitosis_backend {
	MITOSIS_BACKEND_AUTO = 0, /* kernel if its device answers, else user */
	MITOSIS_BACKEND_KERNEL = 1,
	MITOSIS_BACKEND_USER = 2,
};

/*
 * Opens a device. On the user backend this starts mitosisd if none is running
 * for the runtime directory: $MITOSIS_RUNTIME_DIR, else /run/mitosis for root,
 * else $XDG_RUNTIME_DIR/mitosis, else /tmp/mitosis-UID. The program is
 * $MITOSIS_DAEMON, else "mitosisd" beside this library.
 * Errors: -ENODEV the kernel module is not loaded; -EACCES, -ENOTDIR,
 * -ENAMETOOLONG the runtime directory cannot be used; -ENOENT, -ENOEXEC mitosisd
 * is missing or cannot be executed; -ETIMEDOUT it does not answer; -EPROTO it is of
 * another version; -ENOSPC the directory's file system is full; -EAGAIN the limit of
 * processes is reached; -EINVAL no such backend, or an invalid environment variable.
 */
int mitosis_open(int backend, struct mitosis **device);

/* Closes a device and drops its snapshot, unless that is pinned. NULL is allowed. */
int mitosis_close(struct mitosis *device);

/* MITOSIS_BACKEND_KERNEL or MITOSIS_BACKEND_USER. */
int mitosis_backend(const struct mitosis *device);

/* Enters the backend and returns. Errors: -ECONNRESET the daemon has gone. */
int mitosis_nil(struct mitosis *device);

/*
 * Takes a snapshot of the calling process: its memory, copy-on-write, and the
 * calling thread's state. Returns 0 in the parent, and 0 in every child that
 * resumes it. If MITOSIS_FILE_DIGEST=on was in the environment of mitosis_open(), it also reads
 * the privately mapped files and records their digests: a child is refused if such a file has other
 * bytes when it is resumed (user backend). It reads 4 GiB at most; for files beyond that there is no
 * digest, and children get their pages from the snapshot.
 * Errors: -EEXIST handler id in use; -EBUSY this device already holds a
 * snapshot; -ENOSPC the registry is full; -ENOMEM, -EAGAIN no process could
 * be made; -ECONNRESET the daemon has gone; -ETIMEDOUT a thread did not stop;
 * -EADDRINUSE the program uses the signal that would stop its threads; -EPERM a thread
 * has less rights than the calling one (capabilities, no_new_privs, a seccomp filter), and
 * would have more in a child.
 */
int mitosis_prepare(struct mitosis *device, uint32_t handler_id);

/* As mitosis_prepare(), but the snapshot stays until it is unprepared. */
int mitosis_prepare_pinned(struct mitosis *device, uint32_t handler_id);

/* Open files that a snapshot can leave out. */
#define MITOSIS_LEFT_OUT_MAX 64

/* How snapshots are taken. `size` is as in struct mitosis_child_options. */
struct mitosis_prepare_options {
	uint32_t size; /* sizeof(struct mitosis_prepare_options) */
	/* Time for the other threads to stop: 1 to 60000; 0: 2000. */
	uint32_t stop_ms;
	uint32_t left_out_count;
	/*
	 * The real-time signal that stops them: 32 to 64; 0: $MITOSIS_STOP_SIGNAL, else 33, which glibc and musl
	 * reserve. The program must neither handle nor ignore it, if it is 34 or higher.
	 */
	uint32_t stop_signal;
	/*
	 * Numbers of open files, from 3 on, of any kind, that are not part of the snapshot: at these
	 * numbers a child has what its caller has there. Numbers that are not open at prepare are ignored.
	 */
	const int32_t *left_out;
};

/*
 * Sets these options for all later snapshots of this device. On an error none is changed.
 * Errors: -EINVAL an invalid size, time, signal or number; -E2BIG the struct is of a later release and
 * has options that this one does not know, or more than MITOSIS_LEFT_OUT_MAX numbers.
 */
int mitosis_set_prepare_options(struct mitosis *device,
				const struct mitosis_prepare_options *options);

/* Bytes of a child's seed. */
#define MITOSIS_SEED_SIZE 32
/* Hooks that a process can register. */
#define MITOSIS_RESUME_HOOKS_MAX 16

/*
 * What a hook learns about its child. 104 bytes, no padding; later releases may add fields at
 * the end. A hook that may run with an earlier release must check `size` first.
 */
struct mitosis_child {
	uint8_t seed[MITOSIS_SEED_SIZE]; /* fresh in each child, and for each hook */
	uint64_t generation; /* of the snapshot with this handler id; 0: not known */
	uint32_t handler_id; /* of the snapshot */
	uint32_t
		size; /* sizeof(struct mitosis_child); 0: the fields below are missing */
	/*
	 * Counts the children that the machine `machine_id` starts, of all snapshots; some numbers
	 * are not used. The two together identify a child: see docs/library.md. 0: not known (an
	 * older kernel module).
	 */
	uint64_t number;
	uint32_t machine_id; /* of the mitosisd, or module, of the child's machine */
	uint32_t reserved;
	/*
	 * Times of the steps of its resume, CLOCK_MONOTONIC in ns, ascending; 0: not known (kernel
	 * module, modes clone and replica).
	 */
	uint64_t
		descriptor_ns; /* descriptor received, once for all of an attachment */
	uint64_t born_ns;   /* process made, in its own namespaces if it has any */
	uint64_t files_ns;  /* open files made; next it leaves its caller's memory */
	uint64_t mapped_ns; /* memory mapped; in mode eager filled, too */
	uint64_t go_ns;	    /* all threads made */
};

typedef void (*mitosis_resume_hook)(const struct mitosis_child *child,
				    void *argument);

/*
 * Registers a function that is called in every child of this process's later
 * snapshots, on both backends, before it returns from mitosis_prepare(); in the
 * order of registration. Children start with the same state of the parent's random
 * number generators: a hook can reseed them. It runs on the stack of the caller of
 * mitosis_prepare() and may call what could be called there, except mitosis_prepare();
 * it must return. If that caller holds a lock that the hook needs, or is a signal
 * handler, the hook may only do what is async-signal-safe. fork(2) does not call hooks.
 * If the kernel has no random bytes for the seed, the child ends with status 125 and a message.
 * Errors: -EINVAL no hook; -ENOSPC there are already MITOSIS_RESUME_HOOKS_MAX.
 */
int mitosis_on_resume(mitosis_resume_hook hook, void *argument);

/* The largest size of struct mitosis_child in this and in later releases. */
#define MITOSIS_CHILD_ROOM 256

/*
 * A hook for mitosis_on_resume() that copies the struct to `argument`, which must have
 * MITOSIS_CHILD_ROOM bytes: for languages whose functions C cannot call.
 */
void mitosis_copy_child(const struct mitosis_child *child, void *argument);

/* Hooks of prepare that a process can register. */
#define MITOSIS_PREPARE_HOOKS_MAX 16

/* Returns 0, or -errno: then prepare takes no snapshot and returns that. */
typedef int (*mitosis_before_prepare)(uint32_t handler_id, void *argument);
/* `result` is what prepare returns. */
typedef void (*mitosis_after_prepare)(uint32_t handler_id, int result,
				      void *argument);

/*
 * Registers two functions that every mitosis_prepare() of this process calls, on both backends, in
 * the thread that prepares: `before` while all threads run, in reverse order of registration; `after`
 * in the parent, in order of registration, when prepare has succeeded or failed. If a `before` returns
 * an error, no snapshot is taken, and `after` is called of those pairs whose `before` was called. Either
 * may be NULL. They must not prepare. A pair that is registered during a prepare is first called at
 * the next one. Children call the hooks of mitosis_on_resume() instead of `after`.
 * Errors: -EINVAL both are NULL; -ENOSPC there are already MITOSIS_PREPARE_HOOKS_MAX.
 */
int mitosis_on_prepare(mitosis_before_prepare before, mitosis_after_prepare after,
		       void *argument);

/*
 * Drops a snapshot of this machine, no matter which device prepared it.
 * Errors: -ENOENT no such snapshot; -ECONNRESET the daemon has gone.
 */
int mitosis_unprepare(struct mitosis *device, uint32_t handler_id);

/*
 * Writes up to `capacity` snapshots of this machine, by ascending handler id, to
 * `snapshots`. Returns how many there are, which may be more than were written, or
 * -errno.
 */
int mitosis_list(struct mitosis *device, struct mitosis_snapshot *snapshots,
		 uint32_t capacity);

/* What a snapshot consists of. `size` is that of the caller's struct. */
struct mitosis_contents {
	uint32_t size;	  /* sizeof(struct mitosis_contents) */
	uint32_t threads; /* of the parent, the caller of prepare included */
	uint32_t files;	  /* open from number 3 on, without the library's own */
	uint32_t mappings;
	uint64_t bytes; /* of all mappings */
};

/*
 * Fills `contents` for a snapshot of this machine. Fields of a longer struct that this release does
 * not know become 0.
 * Errors: -ENOENT no such snapshot; -EINVAL the struct does not say its size; -EPERM on the kernel
 * backend, if the caller may not resume the snapshot.
 */
int mitosis_list_contents(struct mitosis *device, uint32_t handler_id,
			  struct mitosis_contents *contents);

/*
 * Copies `length` bytes at address `address` of a snapshot of this machine to
 * `buffer`: what the parent's memory held when it was prepared.
 * Errors: -ENOENT no such snapshot; -EFAULT the snapshot has no memory there.
 */
int mitosis_read(struct mitosis *device, uint32_t handler_id, uint64_t address,
		 void *buffer, size_t length);

/*
 * Opens the session of this machine to another one, for all devices here. `address` is
 * - tcp://host:port;
 * - rdma://host[:port]: pages come by RDMA where it works, else over TCP; needs
 *   MITOSIS_PROTECTION=handshake, or the module's protection=handshake;
 * - a GID, which stands for the rdma:// address that it holds;
 * - replica://host:port (user backend): another machine, which has a session to
 *   machine_id itself and passes the pages of that machine's snapshots on.
 * %N may follow the two forms of RDMA: the original's nic_id, which of this machine's RDMA
 * ports to use, counted from 0 by device and port; without it the route decides. On the
 * user backend the key is the file $MITOSIS_KEY_FILE, else ~/.config/mitosis/key, else
 * /etc/mitosis/key; MITOSIS_PROTECTION=none needs none, for loopback addresses (for all
 * addresses with MITOSIS_PRIVATE_NETWORK=1).
 * Errors: -EINVAL malformed address, or another machine answers there; -ENODEV a GID
 * without an RDMA device, no port of that number, or on the kernel backend an RDMA
 * address without mitosis_rdma; -ENOTUNIQ a link-local GID without nic_id, and devices
 * with several network interfaces; -EACCES no key, or a different one; -EPROTOTYPE the
 * machines have different protections, or rdma:// without handshake; -EOPNOTSUPP this
 * CPU cannot seal sessions; -EPROTONOSUPPORT another version of the protocol; -EMSGSIZE
 * a message of another length; -EPROTO another program answers there; -ECONNRESET the
 * connection ended within a message; -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT.
 */
int mitosis_connect(struct mitosis *device, uint32_t machine_id,
		    const char *address);

/* Room for the address of any session. */
#define MITOSIS_ADDRESS_SIZE 80

/*
 * The address of the session to a machine, as text: tcp://host:port,
 * replica://host:port or rdma://host:port[%nic_id].
 * Errors: -ENOTCONN no session; -ENOSYS on the kernel backend.
 */
int mitosis_session_address(struct mitosis *device, uint32_t machine_id,
			    char address[MITOSIS_ADDRESS_SIZE]);

/*
 * Sends an empty request to another machine and waits for its answer.
 * Errors: -ENOTCONN no session; -ETIMEDOUT, -ECONNRESET.
 */
int mitosis_nil_rpc(struct mitosis *device, uint32_t machine_id);

/* How a child gets its pages. */
enum mitosis_resume_mode {
	MITOSIS_RESUME_LAZY = 0,  /* on demand, a prefetch window at a time */
	MITOSIS_RESUME_EAGER = 1, /* all of them before its first instruction */
	MITOSIS_RESUME_CACHED =
		2, /* lazy; pages stay on this machine for later children */
	/*
	 * The shadow forks the child, and the caller waits as its proxy: it ends as
	 * the child ends, and the child ends with it. The child shares all pages with the
	 * shadow and needs no privilege; for snapshots of this machine only. It has the same
	 * files of the caller as in other modes, but a pid of its own, and the parent's
	 * namespaces, control groups, root and working directory.
	 */
	MITOSIS_RESUME_CLONE = 3,
	/*
	 * As clone, for snapshots of another machine: this machine keeps one child, the
	 * replica, which runs nothing of its program and forks the other children; they share
	 * its pages. They have the rights of this machine's mitosisd, limited to the parent's
	 * capabilities. For a snapshot of this machine the same as clone.
	 */
	MITOSIS_RESUME_REPLICA = 4,
	/*
	 * The fastest mode that permits all options of the child. For children that
	 * mitosis_spawn() makes this is clone, or replica for a snapshot of another machine,
	 * unless one of these prevents it: confinement; `own`, `host_name` or `paths`; too few
	 * rights; a snapshot of the kernel module; a shadow or replica in other namespaces or
	 * with another root directory than the caller. Then it is lazy, and
	 * mitosis_attachment_mode() tells why. Such a child stays in the control groups of the
	 * shadow or replica, unless mitosis_spawn() is given others. A caller of
	 * mitosis_resume_*() becomes the child itself, in mode lazy: it keeps its pid,
	 * namespaces, control groups and root directory. On the kernel backend as lazy.
	 */
	MITOSIS_RESUME_AUTO = 5,
};

/* Pages that a child of a snapshot with several threads gets per fault by default. */
#define MITOSIS_PREFETCH_PAGES_THREADS 16

/* How mitosis_resume_*() works. 8 bytes. */
struct mitosis_resume_options {
	uint32_t mode; /* enum mitosis_resume_mode */
	/* Per fault: a power of two, at most 512; 0: the default. */
	uint32_t prefetch_pages;
};

/*
 * Sets how this device resumes; the default is lazy with windows of 64 pages, or of 16
 * where the snapshot has several threads; or what the kernel module's parameters say.
 * Errors: -EINVAL no such mode or window; -EOPNOTSUPP clone on the kernel backend.
 */
int mitosis_set_resume_options(struct mitosis *device,
			       const struct mitosis_resume_options *options);

/* What a child has of a regular file that its parent has open for writing. */
enum mitosis_files {
	MITOSIS_FILES_REFUSE = 0,  /* the child is not resumed; the default */
	MITOSIS_FILES_SHARE = 1,   /* the same file, with a position of its own */
	MITOSIS_FILES_PRIVATE = 2, /* a copy in memory, of 64 MiB at most */
};

/*
 * Sets this for children of this device, and of its later attachments.
 * Errors: -EINVAL `files` is not one of enum mitosis_files.
 */
int mitosis_set_resume_files(struct mitosis *device, uint32_t files);

/*
 * What a child of a parent with several threads has of its own, beside the PID namespace
 * and the /proc that it has in any case.
 */
#define MITOSIS_OWN_NETWORK 0x1u /* a network with a loopback device only */
#define MITOSIS_OWN_TMP	    0x2u /* an empty /tmp, in memory */
#define MITOSIS_OWN_ALL	    0x3u

#define MITOSIS_HOST_NAME_SIZE 65 /* with a NUL */
#define MITOSIS_PATHS_MAX      1024

/* A file or folder that a child has at another path than its parent; absolute paths. */
struct mitosis_path {
	const char *from, *to;
};

/* The signal actions of processes at the moment when they resume. */
enum mitosis_signals {
	MITOSIS_SIGNALS_ANY = 0, /* unknown: each child sets all; the default */
	/*
	 * The processes were forked with CLONE_CLEAR_SIGHAND, or executed a program, and have changed
	 * none since: they ignore the signals that were ignored in the process that made the
	 * attachment, and all others have the default action. A child sets only those that differ.
	 */
	MITOSIS_SIGNALS_CLEARED = 1,
};

/*
 * All options of children. `size` is that of the caller's struct, which may be of another
 * release: fields that it does not have count as 0, the default.
 */
struct mitosis_child_options {
	uint32_t size;
	uint32_t mode;		 /* enum mitosis_resume_mode */
	uint32_t prefetch_pages; /* as in struct mitosis_resume_options */
	uint32_t files;		 /* enum mitosis_files */
	uint32_t own;		 /* MITOSIS_OWN_* */
	uint32_t path_count;
	const char *host_name; /* of its own; NULL: the caller's */
	/* Where it opens files that its parent had open: of several, the longest `from` applies. */
	const struct mitosis_path *paths;
	uint32_t signals;  /* enum mitosis_signals */
	uint32_t reserved; /* 0 */
};

/*
 * Sets these options for children of this device, and of its later attachments, instead of
 * mitosis_set_resume_options() and mitosis_set_resume_files(). On an error none is changed.
 * Resume from a snapshot with one thread fails with -EINVAL if `own` or `host_name` is set: its
 * children stay in their caller's namespaces.
 * Errors: as those functions; -EINVAL also for an invalid size, name or path; -E2BIG the struct is
 * of a later release and has options that this one does not know; -EOPNOTSUPP `own`, `host_name` or
 * `paths` in modes clone and replica, whose children have their parent's.
 */
int mitosis_set_child_options(struct mitosis *device,
			      const struct mitosis_child_options *options);

/* How the processes that become children give up rights. */
struct mitosis_confinement {
	/*
	 * Called in such a process as the last step that can fail. The steps after it need
	 * no rights, but a filter must permit them to map memory, read the clock (clock_gettime),
	 * and use the files that are passed to the page server. Returns 0 or -errno.
	 */
	int (*confine)(void *argument);
	void *argument;
	/* The ids with whose rights the files that the parent mapped are opened. */
	uint32_t user, group;
};

/*
 * Confines children of this device, and of its later attachments. For the parent's writable
 * shared mappings of files they get private copies. Of its sockets they get socket pairs, and
 * sockets of TCP and UDP that listen, are bound or unused, in their caller's network, but without
 * the right to bind privileged ports. To open files as `user` and `group` the caller needs
 * CAP_SETUID and CAP_SETGID. NULL ends the confinement of later children.
 * Errors: -EOPNOTSUPP on the kernel backend. Resume in mode clone or replica, where the snapshot
 * forks the child, then returns -EINVAL.
 */
int mitosis_set_confinement(struct mitosis *device,
			    const struct mitosis_confinement *confinement);

struct sock_fprog; /* linux/filter.h */

/*
 * Additional steps that confine children with threads. Their threads are made last, with their parent's ids, in a PID
 * namespace of their own. `size` is as in struct mitosis_child_options.
 */
struct mitosis_thread_confinement {
	uint32_t size; /* sizeof(struct mitosis_thread_confinement) */
	/* An open file: the user namespace that `confine` enters. It owns the PID namespace. */
	int32_t user_namespace;
	/*
	 * Called first in the child, which has new PID and mount namespaces and the caller's rights: must mount
	 * the /proc of this PID namespace. Returns 0 or -errno.
	 */
	int (*enter)(void *argument);
	/*
	 * Called instead of the one of struct mitosis_confinement. Must do the same, with two exceptions: it
	 * keeps the capability CAP_CHECKPOINT_RESTORE, permitted and effective, and instead of a filter of system
	 * calls it sets no_new_privs. When the program goes on, no thread has a capability, and each has `filter`.
	 */
	int (*confine)(void *argument);
	void *argument;
	/* Set for all threads at once by seccomp(2); must exist as long as the device. NULL: none. */
	const struct sock_fprog *filter;
};

/*
 * Needed beside mitosis_set_confinement() to confine children of a snapshot with threads: without it their resume
 * fails with -EOPNOTSUPP. The parent must not be the first process of its PID namespace. NULL: unset.
 * Errors: -EINVAL an invalid size, or a missing user namespace or function; -E2BIG the struct is of a later release and
 * has options that this one does not know, or the filter is too long; -EOPNOTSUPP on the kernel backend.
 */
int mitosis_set_thread_confinement(
	struct mitosis *device,
	const struct mitosis_thread_confinement *confinement);

/*
 * Becomes a child of a snapshot of this machine: the caller's memory and registers are replaced by the parent's, and
 * it continues where the parent's prepare returned 0. It keeps its pid, its user and group ids, those of its
 * capabilities that the parent had, and the open files without close-on-exec, as exec would.
 * At all other numbers, from 3 on, it gets files like the parent's. Working directory, umask, limits and
 * priorities become the parent's as far as the caller may set them (user backend). Returns only on failure, after
 * which the caller may have some of the parent's priorities.
 * Errors: -ENOENT no such snapshot; -EINVAL the caller has several threads, or the parent had and was prepared by the
 * module's bare ioctl; -EPERM no right to use userfaultfd, a seccomp filter of the parent, or memory of the caller
 * that mseal(2) has sealed; -EACCES PR_SET_MDWE of the caller; -E2BIG more than 128 files that exec would keep;
 * -EOPNOTSUPP, -EBUSY, -ESTALE, -EADDRINUSE, -EFBIG, -EMFILE an open file of the parent cannot be made again (-ESTALE
 * also: a mapped file has another build-id or digest; -EOPNOTSUPP also: the parent has set PR_SET_MDWE, which this
 * kernel does not know; -EMFILE in mode clone: the limit of the parent does not let its children have a file of the
 * caller); -EPROTO the parent ran under another kernel; -EBADMSG an invalid descriptor; -ENOMEM, also for a limit of
 * memory below the parent's; -ETIMEDOUT the shadow does not answer. Past the point of no return a failure writes a
 * message to standard error and ends the process with status 125.
 */
int mitosis_resume_local(struct mitosis *device, uint32_t handler_id);

/*
 * Becomes a child of a snapshot of another machine. Errors: as
 * mitosis_resume_local(); also -ENOTCONN no session, -ECONNRESET.
 */
int mitosis_resume_remote(struct mitosis *device, uint32_t machine_id,
			  uint32_t handler_id);

/*
 * What all children of one snapshot need, fetched once in advance. For a process that
 * forks processes which become children: these need no requests to mitosisd, which
 * saves several round trips each. User backend only.
 */
struct mitosis_attachment;

/*
 * Attaches to a snapshot of this machine, or of another one, with the options of
 * children that the device has now. The attachment outlives the device. Errors: as
 * mitosis_resume_local() and mitosis_resume_remote(); -ENOSYS on the kernel
 * backend.
 */
int mitosis_attach_local(struct mitosis *device, uint32_t handler_id,
			 struct mitosis_attachment **attachment);
int mitosis_attach_remote(struct mitosis *device, uint32_t machine_id,
			  uint32_t handler_id,
			  struct mitosis_attachment **attachment);

/*
 * Becomes a child by an attachment that this process, or the process that forked it, has made. Files that the parent
 * mapped were opened when attaching. Of its own open files the child keeps the standard three, and those that were open
 * without close-on-exec when attaching and still are: open files for a child before attaching, or replace them by dup2().
 * Returns only on failure: -ESTALE the snapshot has been dropped, so detach and attach again; else as
 * mitosis_resume_local().
 */
int mitosis_resume_attached(struct mitosis_attachment *attachment);

/*
 * Lists what a child lacks of its parent, one line each: state that fork would have passed on, and state that neither
 * fork nor resume passes on but the parent had (timers, pending signals, locks of memory, PR_SET_PDEATHSIG,
 * PR_SET_CHILD_SUBREAPER, what a thread had for itself; not if the parent has a seccomp filter). With NULL: what the calling child lacks, in all
 * modes and on both backends. With an attachment: what is known of its children before they are made. What the caller of
 * resume chooses is not listed (root directory, CPUs, NUMA policies, session: docs/children.md). Writes at most `size`
 * bytes, with a NUL. Returns how many lines there are, which may be more than were written.
 * Errors: -ENOENT the caller is no child; with an attachment of mode clone or replica, which asks the snapshot: -ESTALE
 * it has been dropped; -ETIMEDOUT, -ECONNRESET.
 */
int mitosis_resume_report(const struct mitosis_attachment *attachment, char *text,
			  size_t size);

/*
 * The container of a child of mitosis_spawn(). Descriptors are the caller's; -1
 * is none.
 */
struct mitosis_spawn {
	int pidfd;	     /* of a process whose namespaces it joins */
	uint32_t namespaces; /* which of them: CLONE_NEW* */
	int root;	     /* directory that becomes its root */
	uint32_t cgroup_count;
	const int *cgroups; /* open cgroup.procs files that it enters */
	uint32_t file_count;
	const int *files;     /* files that it gets, at the same numbers */
	uint32_t deadline_ms; /* after which it is killed; 0: none */
	uint32_t flags;	      /* MITOSIS_SPAWN_* */
};

/*
 * `cgroups` are two files of one control group of version 2: its cgroup.procs, and its directory. The child is
 * forked into it if the kernel and the rights of the shadow or replica permit that; else it enters it.
 */
#define MITOSIS_SPAWN_INTO_CGROUP 0x1u

/*
 * Makes the shadow, or a replica, fork a child, by an attachment of mode clone or replica that this process made, and
 * waits for its end: MITOSIS_RESUME_CLONE without a proxy process. Returns 0 with its wait status; exit status 125 may
 * mean that it could not enter its container. Signals do not end the wait. After an error only mitosis_detach() may be
 * called on the attachment. Errors: -EINVAL another mode, or invalid flags; -E2BIG too many descriptors; -ESTALE the
 * snapshot has been dropped; -ECONNRESET its shadow has ended, and the child with it; -ETIME the deadline has passed,
 * and the child has been killed.
 */
int mitosis_spawn(struct mitosis_attachment *attachment,
		  const struct mitosis_spawn *child, int *status);

/* Pages that its children get per fault; 0 in modes clone and replica, whose children share pages. */
uint32_t mitosis_attachment_window(const struct mitosis_attachment *attachment);

/*
 * The mode of an attachment's children, MITOSIS_RESUME_*. Of an attachment in mode auto, the mode that was
 * chosen: MITOSIS_RESUME_CLONE or _REPLICA if mitosis_spawn() can make its children, else _LAZY. `why`, of
 * `size` bytes, gets the reason for the slower mode, or "".
 */
uint32_t mitosis_attachment_mode(const struct mitosis_attachment *attachment,
				 char *why, size_t size);

/* Frees an attachment. NULL is allowed. */
void mitosis_detach(struct mitosis_attachment *attachment);

/*
 * The error message of this thread's last call that failed, without a full stop; "" if
 * none failed. Valid until the thread's next call.
 */
const char *mitosis_error(void);

/*
 * Whether this process may use userfaultfd, by which a child of the user backend gets its pages
 * in every mode but MITOSIS_RESUME_CLONE. Tries the call, and returns "allowed"; "filtered" by
 * seccomp, as in a container; "refused" without CAP_SYS_PTRACE; "confined" if the process has this
 * capability only in a user namespace; or "missing" in this kernel.
 */
const char *mitosis_userfaultfd(void);

/* The release, such as "0.1.0". */
const char *mitosis_version(void);

/*
 * Opens the kernel module's device at a path, as a device of the kernel backend. Unlike
 * mitosis_open() it does not check that the file is a device of the module.
 */
int mitosis_open_module(const char *path, struct mitosis **device);

/*
 * Calls ioctl(2) with a command of include/uapi/mitosis.h on such a device, for languages that
 * cannot call variadic functions. Returns the result of ioctl(2), or -errno without a message.
 * -EBADF, as for every call, if the device is not open in this process, as in a child.
 */
int mitosis_module_ioctl(struct mitosis *device, uint64_t command,
			 uint64_t argument);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* LIBMITOSIS_H */
