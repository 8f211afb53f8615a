/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmitosis: remote fork for a calling process, on the kernel module or on
 * the embedded user-space backend.
 *
 * Functions that return int answer 0 (or a count) on success and -errno on
 * failure; mitosis_error() then returns a message that says what to do. A device is
 * one caller, as an open file of the kernel module is; it holds at most one
 * snapshot. Calls on one device from several threads are carried out one after
 * the other. In a resumed child the parent's devices are dead: every call on
 * them answers -EBADF, and mitosis_close() only frees them.
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
 * Errors: -ENODEV the kernel module is not there; -EACCES, -ENOTDIR,
 * -ENAMETOOLONG a runtime directory that cannot be used; -ENOENT, -ENOEXEC no
 * mitosisd; -ETIMEDOUT it does not answer; -EPROTO it is of another version;
 * -ENOSPC the directory's file system is full; -EAGAIN the limit of processes; -EINVAL no such backend, or an
 * environment variable that cannot be.
 */
int mitosis_open(int backend, struct mitosis **device);

/*
 * Closes a device; the snapshot it holds goes, unless it is pinned. NULL is
 * allowed.
 */
int mitosis_close(struct mitosis *device);

/* MITOSIS_BACKEND_KERNEL or MITOSIS_BACKEND_USER. */
int mitosis_backend(const struct mitosis *device);

/* Enters the backend and returns. Errors: -ECONNRESET the daemon has gone. */
int mitosis_nil(struct mitosis *device);

/*
 * Takes a snapshot of the calling process: its memory, copy-on-write, and the
 * calling thread's state. Returns 0 in the parent, and 0 in every child that
 * resumes it. With MITOSIS_FILE_DIGEST=on in the environment of mitosis_open(), it also reads the
 * files that are mapped privately: children are refused if one of them has other bytes then (user
 * backend). Of files that have more than 4 GiB together, those that are too many have no digest,
 * and children get their pages from the snapshot.
 * Errors: -EEXIST handler id in use; -EBUSY this device already holds a
 * snapshot; -ENOSPC the registry is full; -ENOMEM, -EAGAIN no process could
 * be made; -ECONNRESET the daemon has gone; -ETIMEDOUT a thread did not stop; -EADDRINUSE the program uses the
 * signal that is to stop it.
 */
int mitosis_prepare(struct mitosis *device, uint32_t handler_id);

/* The same, but the snapshot stays until it is unprepared. */
int mitosis_prepare_pinned(struct mitosis *device, uint32_t handler_id);

/* Open files that a snapshot can leave out. */
#define MITOSIS_LEFT_OUT_MAX 64

/* How snapshots are taken. `size` is as in struct mitosis_child_options. */
struct mitosis_prepare_options {
	uint32_t size; /* sizeof(struct mitosis_prepare_options) */
	/* How long the other threads may take to stop: 1 to 60000; 0: 2000. */
	uint32_t stop_ms;
	uint32_t left_out_count;
	/*
	 * The real-time signal that stops them: 32 to 64; 0: $MITOSIS_STOP_SIGNAL, else 33, which glibc and musl
	 * keep for themselves. From 34 on one that the program neither handles nor ignores.
	 */
	uint32_t stop_signal;
	/*
	 * Numbers of open files, from 3 on, that are not part of the snapshot, of whichever kind: a
	 * child has there what its caller has. Those that are not open at prepare count for nothing.
	 */
	const int32_t *left_out;
};

/*
 * Sets them for all later snapshots of this device. On an error they stay as they were.
 * Errors: -EINVAL a size, time or number that cannot be; -E2BIG the struct is of a later release and
 * asks for more, or there are more than MITOSIS_LEFT_OUT_MAX numbers.
 */
int mitosis_set_prepare_options(struct mitosis *device,
				const struct mitosis_prepare_options *options);

/* Bytes of a child's seed. */
#define MITOSIS_SEED_SIZE 32
/* Hooks that a process can register. */
#define MITOSIS_RESUME_HOOKS_MAX 16

/*
 * What a child is told. 104 bytes, no padding; a later release may add to its end. A hook
 * that may run with an earlier one looks at `size` first.
 */
struct mitosis_child {
	uint8_t seed[MITOSIS_SEED_SIZE]; /* fresh in each child, and for each hook */
	uint64_t generation; /* of the snapshot under its id; 0: not known */
	uint32_t handler_id; /* that the parent prepared under */
	uint32_t size;	     /* sizeof(struct mitosis_child); 0: it ends here */
	/*
	 * The how manyth child it is that the machine with this id has started, of
	 * whichever snapshot; some numbers are left out. Both together are no other
	 * child's: see docs/library.md. 0: not known (an older kernel module).
	 */
	uint64_t number;
	uint32_t machine_id; /* of the mitosisd, or module, of the child's machine */
	uint32_t reserved;
	/*
	 * When it came how far, CLOCK_MONOTONIC in ns, in this order; 0: not known (kernel module,
	 * modes clone and replica).
	 */
	uint64_t
		descriptor_ns; /* the descriptor was there, once for all of an attachment */
	uint64_t
		born_ns; /* its process was there, in its own namespaces if it has any */
	uint64_t
		files_ns; /* its open files were made: it leaves its caller's memory */
	uint64_t
		mapped_ns; /* its memory was mapped and asked for; in mode eager there */
	uint64_t go_ns; /* all its threads were made */
};

typedef void (*mitosis_resume_hook)(const struct mitosis_child *child,
				    void *argument);

/*
 * Registers a function that is called in every child of this process's later
 * snapshots, on both backends, before it returns from mitosis_prepare(); in the
 * order of registration. Children share what the parent's random number generators
 * hold: a hook gives them another seed. It runs on the stack of the caller of
 * mitosis_prepare() and may call what could be called there, except mitosis_prepare();
 * it must return. If that caller holds a lock that the hook needs, or is a signal
 * handler, the hook may only do what is async-signal-safe. A fork(2) calls no hooks.
 * A child that gets no random bytes ends with status 125 and a message.
 * Errors: -EINVAL no hook; -ENOSPC there are MITOSIS_RESUME_HOOKS_MAX.
 */
int mitosis_on_resume(mitosis_resume_hook hook, void *argument);

/* Bytes that struct mitosis_child has at most, in this and in later releases. */
#define MITOSIS_CHILD_ROOM 256

/*
 * A hook for mitosis_on_resume() that copies what the child is told to `argument`, which has
 * MITOSIS_CHILD_ROOM bytes: for callers that have no function which C can call.
 */
void mitosis_copy_child(const struct mitosis_child *child, void *argument);

/* Hooks of prepare that a process can register. */
#define MITOSIS_PREPARE_HOOKS_MAX 16

/* Returns 0, or -errno to have prepare return that. */
typedef int (*mitosis_before_prepare)(uint32_t handler_id, void *argument);
/* `result` is what prepare returns. */
typedef void (*mitosis_after_prepare)(uint32_t handler_id, int result,
				      void *argument);

/*
 * Registers functions that every mitosis_prepare() of this process calls, on both backends, in
 * the thread that calls it: `before` while all threads run, those registered last first; `after` in the
 * parent when it is done, in the order of registration. If one refuses, no snapshot is taken, and
 * `after` is called for those that had been called. Either may be NULL. They may not prepare. What is
 * registered during a prepare is first called at the next one.
 * Children call what mitosis_on_resume() has registered instead of `after`.
 * Errors: -EINVAL both are NULL; -ENOSPC there are MITOSIS_PREPARE_HOOKS_MAX.
 */
int mitosis_on_prepare(mitosis_before_prepare before, mitosis_after_prepare after,
		       void *argument);

/*
 * Drops a snapshot of this machine, whichever device prepared it.
 * Errors: -ENOENT no such snapshot; -ECONNRESET the daemon has gone.
 */
int mitosis_unprepare(struct mitosis *device, uint32_t handler_id);

/*
 * Writes the snapshots of this machine, by ascending handler id, to the first
 * `capacity` elements of `snapshots`. Returns how many there are, which may be
 * more than were written, or -errno.
 */
int mitosis_list(struct mitosis *device, struct mitosis_snapshot *snapshots,
		 uint32_t capacity);

/* What a snapshot has besides its memory. `size` is that of the caller's struct. */
struct mitosis_contents {
	uint32_t size;	  /* sizeof(struct mitosis_contents) */
	uint32_t threads; /* of the parent, the caller of prepare included */
	uint32_t files;	  /* open from number 3 on, without the library's own */
	uint32_t mappings;
	uint64_t bytes; /* of all mappings */
};

/*
 * Says what is in a snapshot of this machine. Of a longer struct the rest becomes 0.
 * Errors: -ENOENT no such snapshot; -EINVAL the struct does not say its size; -EPERM on the kernel
 * backend, where only who may resume it is told.
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
 * Opens the session of this machine to another one, for every device here:
 * `address` is tcp://host:port, rdma://host[:port] (user backend: pages come by RDMA
 * where it works, else over TCP; needs MITOSIS_PROTECTION=handshake), or a GID, which
 * a machine with an RDMA device takes for the rdma:// address that it holds; or
 * replica://host:port (user backend): at that address is another machine, which has a session to
 * machine_id itself, and passes the pages of its snapshots on. After the
 * two of RDMA may follow %N: the original's nic_id, which of this machine's RDMA ports to
 * use, counted from 0 by device and port; without it the route decides. On the user
 * backend the key is the file $MITOSIS_KEY_FILE, else
 * ~/.config/mitosis/key, else /etc/mitosis/key; MITOSIS_PROTECTION=none works
 * without one, for loopback addresses (for all with MITOSIS_PRIVATE_NETWORK=1).
 * Errors: -EINVAL malformed address, or another machine answers there;
 * -ENODEV a GID without an RDMA device, no port of that number, or an address of RDMA on
 * the kernel backend; -ENOTUNIQ a link-local GID without nic_id, and devices with
 * several network interfaces; -EACCES no key, or another one;
 * -EPROTOTYPE another MITOSIS_PROTECTION, or rdma:// with another than handshake; -EOPNOTSUPP no CPU for this machine's;
 * -EPROTONOSUPPORT another version of the protocol; -EMSGSIZE a message of
 * another length; -EPROTO no mitosisd; -ECONNRESET it ended in a message;
 * -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT.
 */
int mitosis_connect(struct mitosis *device, uint32_t machine_id,
		    const char *address);

/* Room for the address of any session. */
#define MITOSIS_ADDRESS_SIZE 80

/*
 * Where a machine is that this one has a session to: tcp://host:port,
 * replica://host:port or rdma://host:port[%nic_id], as text.
 * Errors: -ENOTCONN no session; -ENOSYS on the kernel backend.
 */
int mitosis_session_address(struct mitosis *device, uint32_t machine_id,
			    char address[MITOSIS_ADDRESS_SIZE]);

/*
 * One empty request to another machine.
 * Errors: -ENOTCONN no session; -ETIMEDOUT, -ECONNRESET.
 */
int mitosis_nil_rpc(struct mitosis *device, uint32_t machine_id);

/* How a child gets its pages. */
enum mitosis_resume_mode {
	MITOSIS_RESUME_LAZY = 0,  /* on demand, a prefetch window at a time */
	MITOSIS_RESUME_EAGER = 1, /* all of them before its first instruction */
	MITOSIS_RESUME_CACHED =
		2, /* lazy; kept on this machine for its next children */
	/*
	 * The shadow forks the child, and the caller waits as its proxy: it ends as
	 * the child ends, and the child with it. Shares all pages and needs no
	 * privilege; for snapshots of this machine. The child has the same files of the
	 * caller as in other modes, but a pid of its own, and the parent's
	 * namespaces, control groups, root and working directory. Not of a JVM, which
	 * cannot do without the files that it has open (-EOPNOTSUPP on resume).
	 */
	MITOSIS_RESUME_CLONE = 3,
	/*
	 * The same for snapshots of another machine: this one keeps a child that runs none
	 * of its program, the replica, which forks the others. They share its pages. It
	 * has the rights of this machine's mitosisd, limited to the parent's capabilities. For a
	 * snapshot of this machine the same as clone.
	 */
	MITOSIS_RESUME_REPLICA = 4,
	/*
	 * The fastest that gives a child all it is to have. Children that mitosis_spawn()
	 * makes are forked, as in mode clone, or as in mode replica for a snapshot of another
	 * machine, unless confinement, `own`, `host_name`, `paths`, too few rights, a snapshot
	 * of the kernel module, or what forks them being in other namespaces or another root
	 * directory than the caller is in the way:
	 * mitosis_attachment_mode() tells. Control groups that it does not name are those of what
	 * forks them. Who resumes becomes the child itself, in mode lazy: it keeps its pid,
	 * namespaces, control groups and root directory. On the kernel backend the same as lazy.
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
	MITOSIS_FILES_REFUSE = 0,  /* it is not resumed; the default */
	MITOSIS_FILES_SHARE = 1,   /* the same file, at its own position */
	MITOSIS_FILES_PRIVATE = 2, /* a copy in memory, of 64 MiB at most */
};

/*
 * Sets this for children of this device, and of its later attachments.
 * Errors: -EINVAL no such choice.
 */
int mitosis_set_resume_files(struct mitosis *device, uint32_t files);

/*
 * What a child whose parent has several threads has of its own: it gets a PID namespace
 * and a /proc in any case.
 */
#define MITOSIS_OWN_NETWORK 0x1u /* a network with nothing but a loopback device */
#define MITOSIS_OWN_TMP	    0x2u /* an empty /tmp, in memory */
#define MITOSIS_OWN_ALL	    0x3u

#define MITOSIS_HOST_NAME_SIZE 65 /* with a NUL */
#define MITOSIS_PATHS_MAX      1024

/* A file or folder that a child has elsewhere than its parent; absolute paths. */
struct mitosis_path {
	const char *from, *to;
};

/* What is known of the signals of those who become children. */
enum mitosis_signals {
	MITOSIS_SIGNALS_ANY = 0, /* nothing: each is set; the default */
	/*
	 * They were forked with CLONE_CLEAR_SIGHAND, or executed, and have set none since; they ignore
	 * those that who made the attachment ignored then. Each child sets what differs only.
	 */
	MITOSIS_SIGNALS_CLEARED = 1,
};

/*
 * All that can be said of children. `size` is that of the caller's struct, which may be of
 * another release: what it does not have is 0, the default.
 */
struct mitosis_child_options {
	uint32_t size;
	uint32_t mode;		 /* enum mitosis_resume_mode */
	uint32_t prefetch_pages; /* as in struct mitosis_resume_options */
	uint32_t files;		 /* enum mitosis_files */
	uint32_t own;		 /* MITOSIS_OWN_* */
	uint32_t path_count;
	const char *host_name; /* of its own; NULL: the caller's */
	/* Where it opens the files that its parent had open: the longest `from` counts. */
	const struct mitosis_path *paths;
	uint32_t signals;  /* enum mitosis_signals */
	uint32_t reserved; /* 0 */
};

/*
 * Sets them for children of this device, and of its later attachments, instead of
 * mitosis_set_resume_options() and mitosis_set_resume_files(). A snapshot with one thread
 * refuses `own` and `host_name` (-EINVAL): its children stay in their caller's namespaces.
 * On an error none of them is set.
 * Errors: as those; -EINVAL also for a size, a name or a path that cannot be; -E2BIG the struct is
 * of a later release and asks for more; -EOPNOTSUPP `own`, `host_name` or `paths` in modes clone and replica, whose
 * children have their parent's.
 */
int mitosis_set_child_options(struct mitosis *device,
			      const struct mitosis_child_options *options);

/* How the processes that become children give up rights. */
struct mitosis_confinement {
	/*
	 * Called in such a process as the last step that can fail. What follows needs
	 * no rights, but it maps memory, reads the clock (clock_gettime), and uses the
	 * open files that are passed to the page server. Returns 0 or -errno.
	 */
	int (*confine)(void *argument);
	void *argument;
	uint32_t user,
		group; /* whose rights open the files that the parent mapped */
};

/*
 * Has children of this device, and of its later attachments, confined. Of the
 * parent's shared file mappings that are writable they get private copies. Of its sockets they get pairs, and
 * those of TCP and UDP that listen, are bound or fresh, in their caller's network, without a right to
 * ports that others may not bind. The file system user needs CAP_SETUID and CAP_SETGID. NULL: no more.
 * Errors: -EOPNOTSUPP on the kernel backend. Resuming in mode clone or replica, where the snapshot
 * forks the child, then returns -EINVAL.
 */
int mitosis_set_confinement(struct mitosis *device,
			    const struct mitosis_confinement *confinement);

struct sock_fprog; /* linux/filter.h */

/*
 * What the confinement of children with threads needs beside. Their threads are made, with their parent's ids, in a PID
 * namespace of their own, when they have their memory. `size` is as in struct mitosis_child_options.
 */
struct mitosis_thread_confinement {
	uint32_t size; /* sizeof(struct mitosis_thread_confinement) */
	/* An open file: the user namespace that `confine` enters. It owns the PID namespace. */
	int32_t user_namespace;
	/*
	 * Called first in the child, which has new PID and mount namespaces, and the caller's rights: mounts
	 * the /proc of this PID namespace. Returns 0 or -errno.
	 */
	int (*enter)(void *argument);
	/*
	 * Called instead of that of struct mitosis_confinement, and does the same, with two exceptions: of all
	 * capabilities it leaves CAP_CHECKPOINT_RESTORE, permitted and effective, and it sets no filter of system
	 * calls, but no_new_privs. No thread has a capability when the program goes on, and each has the filter.
	 */
	int (*confine)(void *argument);
	void *argument;
	/* Set for all threads at once by seccomp(2); it stays as long as the device. NULL: none. */
	const struct sock_fprog *filter;
};

/*
 * Without it a snapshot with threads has no confined children (-EOPNOTSUPP on resume). The parent must not be the first process of
 * its PID namespace. Takes effect with mitosis_set_confinement() only. NULL: no more.
 * Errors: -EINVAL a size, or something is missing; -E2BIG the struct is of a later release and asks for more, or the filter is too long;
 * -EOPNOTSUPP on the kernel backend.
 */
int mitosis_set_thread_confinement(
	struct mitosis *device,
	const struct mitosis_thread_confinement *confinement);

/*
 * Becomes a child of a snapshot of this machine: the caller's memory and registers are replaced by the parent's, and
 * it goes on where the parent's prepare returned 0. It keeps its pid, its user and group ids, those of its
 * capabilities that the parent had, and the open files that exec would keep: those that are close-on-exec are closed.
 * At numbers that are not among these, from 3 on, it has files like the parent's. Working directory, umask, limits and
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
 * Holds what every child of one snapshot needs, fetched in advance, for a process
 * that forks processes which become children. They send no request to mitosisd, which
 * saves each several round trips. On the user backend.
 */
struct mitosis_attachment;

/*
 * Attaches to a snapshot of this machine, or of another, with the resume
 * options that the device has. The attachment outlives the device. Errors: as
 * mitosis_resume_local() and mitosis_resume_remote(); -ENOSYS on the kernel
 * backend.
 */
int mitosis_attach_local(struct mitosis *device, uint32_t handler_id,
			 struct mitosis_attachment **attachment);
int mitosis_attach_remote(struct mitosis *device, uint32_t machine_id,
			  uint32_t handler_id,
			  struct mitosis_attachment **attachment);

/*
 * Becomes a child by an attachment of this process or of the one that forked it. Files that the parent mapped are opened
 * when attaching. Of its own open files the child keeps the standard three, and numbers that were open and not
 * close-on-exec when attaching, and are so now: open a child's files before, or put others in their place by dup2().
 * Returns only on failure: -ESTALE the snapshot has been dropped since, so detach and attach again; else as
 * mitosis_resume_local().
 */
int mitosis_resume_attached(struct mitosis_attachment *attachment);

/*
 * What a child lacks of its parent, a line for each: what fork would have passed on, and what neither has and the
 * parent had (timers, pending signals, locks of memory, PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER; not of a parent with
 * a seccomp filter): in a child, with NULL, what it lacks itself; with an attachment, what is known of its children
 * before they are made. Writes at most `size` bytes, with a NUL. Returns how many lines there are, which may be more
 * than were written. Of modes lazy, eager and cached on the user backend, and, without an attachment, of mode
 * replica and of the kernel module: a clone is a fork. Where a child runs is its caller's choice and no line of the
 * report (CPUs, NUMA policies, session: docs/children.md).
 * Errors: -ENOENT neither such a child nor such an attachment.
 */
int mitosis_resume_report(const struct mitosis_attachment *attachment, char *text,
			  size_t size);

/*
 * What mitosis_spawn() puts a child into. Descriptors are of the caller, and
 * -1 is none.
 */
struct mitosis_spawn {
	int pidfd;	     /* of a process whose namespaces it joins */
	uint32_t namespaces; /* which of them: CLONE_NEW* */
	int root;	     /* directory that becomes its root */
	uint32_t cgroup_count;
	const int *cgroups; /* open cgroup.procs files that it enters */
	uint32_t file_count;
	const int *files;     /* that it has, at the same numbers */
	uint32_t deadline_ms; /* after which it is ended; 0: none */
	uint32_t flags;	      /* MITOSIS_SPAWN_* */
};

/*
 * The control groups are two files of one of version 2: its cgroup.procs, and its directory. The child is
 * forked there where the kernel and the rights of what forks it permit; else it enters it.
 */
#define MITOSIS_SPAWN_INTO_CGROUP 0x1u

/*
 * Has a snapshot of this machine, or a replica, fork a child, by an attachment of mode clone or replica that this
 * process made, and waits for its end: MITOSIS_RESUME_CLONE without a proxy process. Returns 0 with its wait status; exit
 * status 125 may mean that it could not enter its container. Errors: -EINVAL another mode, or flags that do not fit;
 * -E2BIG too many descriptors; -ESTALE the snapshot has been dropped since; -ECONNRESET its shadow has ended, and the
 * child with it; -ETIME the deadline has passed, and the child has been ended. Signals do not end the wait. After an
 * error only mitosis_detach() may be called on the attachment.
 */
int mitosis_spawn(struct mitosis_attachment *attachment,
		  const struct mitosis_spawn *child, int *status);

/* Pages that its children get per fault, which may be a default; 0 in modes clone and replica, whose children share them. */
uint32_t mitosis_attachment_window(const struct mitosis_attachment *attachment);

/*
 * The mode of an attachment's children, MITOSIS_RESUME_*; of one that was made in mode auto the mode that
 * was chosen: MITOSIS_RESUME_CLONE or _REPLICA for children that mitosis_spawn() makes, or
 * _LAZY where it can make none. `why`, of `size` bytes, gets why it is no faster one, or "".
 */
uint32_t mitosis_attachment_mode(const struct mitosis_attachment *attachment,
				 char *why, size_t size);

/* Frees an attachment. NULL is allowed. */
void mitosis_detach(struct mitosis_attachment *attachment);

/*
 * The error message of the last call of this thread that failed, without a full
 * stop; "" if none did. Valid until the thread's next call.
 */
const char *mitosis_error(void);

/*
 * Whether this process may use userfaultfd, by which a child of the user backend gets its pages
 * in every mode but MITOSIS_RESUME_CLONE; found out by using it. "allowed"; or "filtered" by
 * seccomp, as in a container; "refused" without CAP_SYS_PTRACE; "confined", as this capability is
 * one of a user namespace only; "missing" in this kernel.
 */
const char *mitosis_userfaultfd(void);

/* The release, such as "0.1.0". */
const char *mitosis_version(void);

/*
 * Opens the kernel module's device at a path, as a device of the kernel backend. Unlike
 * mitosis_open() it does not ask whether the file is one of the module's.
 */
int mitosis_open_module(const char *path, struct mitosis **device);

/*
 * A command of include/uapi/mitosis.h on such a device, for callers that speak it themselves and
 * cannot call variadic functions. Returns what ioctl(2) returns, or -errno without a message;
 * -EBADF as every call where the device is not open, in a child say.
 */
int mitosis_module_ioctl(struct mitosis *device, uint64_t command,
			 uint64_t argument);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* LIBMITOSIS_H */
