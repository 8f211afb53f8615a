/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR Apache-2.0 */
/*
 * The ioctl interface of the mitosis kernel module.
 *
 * Device node: MITOSIS_DEVICE_PATH, opened O_RDWR. One open file is one caller
 * ("device" in the documentation); it holds at most one snapshot.
 *
 * Commands 0 and 3 to 8 keep the bare numbers and the structs of the original
 * module (ProjectMitosisOS/mitosis-core), so that programs written for it run
 * unchanged. They return 0, or -1 with errno set. 1 and 2 are FIBMAP and
 * FIGETBSZ and are never used. Everything else has an _IO*('m', ...) number.
 */
#ifndef _UAPI_MITOSIS_H
#define _UAPI_MITOSIS_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MITOSIS_DEVICE_PATH "/dev/mitosis-syscalls"

/*
 * MITOSIS_NIL - enter the module and return.
 * Argument: 0. Effect: none. Errors: none.
 */
#define MITOSIS_NIL 0

/*
 * MITOSIS_CONNECT - open the session to another machine.
 * Argument: pointer to struct mitosis_connect_req.
 * Effect: later MITOSIS_RESUME_REMOTE and MITOSIS_NIL_RPC of all processes in the
 * caller's network namespace use this session.
 * Errors: EFAULT bad pointer; EINVAL malformed address; ECONNREFUSED,
 * EHOSTUNREACH no such machine; EACCES the key was refused; EPROTOTYPE the machine
 * has another protection of sessions (the kernel's log names both);
 * EPROTONOSUPPORT other protocol version; EMSGSIZE a message of another length;
 * EPROTO another program answers there; ECONNRESET the connection ended within a
 * message; ETIMEDOUT no answer within the deadline; EPERM the caller has no
 * CAP_NET_ADMIN in the initial user namespace. With an RDMA address also: EPROTOTYPE
 * this machine's parameter protection is not handshake; ENODEV the module mitosis_rdma
 * is not loaded, or the GID is link-local and does not tell the network interface; ENXIO
 * this machine has no RDMA port with that nic_id.
 */
#define MITOSIS_CONNECT 3

/*
 * MITOSIS_PREPARE - take a copy-on-write snapshot of the calling process.
 * Argument: the handler id, by value (0 to 2^32 - 1).
 * Effect: the snapshot can be resumed until this file is closed. In a resumed
 * child the same call returns 0 as well.
 * Handler ids are each user's own (the effective user id).
 * Errors: EEXIST handler id in use; EBUSY this file already holds a snapshot;
 * EINVAL handler id out of range; ELOOP a child of a child of a child of a child;
 * EOPNOTSUPP memory that a userfaultfd serves; EAGAIN, as of fork(2), too
 * many processes; ENOMEM; ENODEV kprobes or ftrace are switched off; EDQUOT, ENOSPC the
 * user has as many snapshots, or as much memory in them, as the module's parameters
 * snapshots_per_user and snapshot_percent_per_user allow: CAP_SYS_RESOURCE permits
 * more, and MITOSIS_IOC_UNPREPARE_ALL makes room. A snapshot of a process with
 * several threads cannot be resumed: use MITOSIS_IOC_PREPARE_DESCRIBED for these.
 */
#define MITOSIS_PREPARE 4

/*
 * MITOSIS_RESUME_LOCAL - become a child of a snapshot of this machine.
 * Argument: the handler id, by value. It names the snapshot whose token was presented on
 * this file, if any, else a snapshot of the caller's user.
 * Effect: the caller's memory and registers are replaced; does not return.
 * Errors: ENOENT no such snapshot; EINVAL the caller has, or the parent had,
 * several threads; EBADMSG the parent's registers, or its description, do not
 * fit its memory; ENOSPC as MITOSIS_PREPARE, for the descriptor;
 * EPERM the caller differs from the snapshot's owner. It must have the same user and
 * group ids (real, effective and saved), the same label of SELinux or Smack, be in the
 * same user namespace, and have at
 * least the same permitted capabilities; for an undumpable snapshot exactly the same,
 * and CAP_SYS_PTRACE. Any other caller, also a privileged one, needs a token
 * (MITOSIS_IOC_PRESENT); EKEYEXPIRED, EKEYREVOKED that token is no longer valid;
 * ENOEXEC the file system of a file that the parent executes was mounted noexec since.
 * The child gets no_new_privs and undumpable from the snapshot. Past the point of no
 * return a failure ends the caller with SIGKILL.
 */
#define MITOSIS_RESUME_LOCAL 5

/*
 * MITOSIS_RESUME_REMOTE - become a child of a snapshot of another machine.
 * Argument: pointer to struct mitosis_remote_req.
 * Effect and errors: as MITOSIS_RESUME_LOCAL; also EFAULT bad pointer,
 * ENOTCONN no session to that machine, what MITOSIS_CONNECT says of its answers,
 * EBADMSG an invalid descriptor, or a record of a sealed session that was changed,
 * EALREADY one that was sent again, EILSEQ records that are missing or in another
 * order, and EPROTO the machines are incompatible (other
 * vdso, other CPU features). EPERM not all user ids of the caller are the owner's, or the
 * snapshot is root's or undumpable and the caller lacks CAP_SYS_PTRACE. With a token
 * of MITOSIS_IOC_PRESENT_REMOTE, instead of EPERM: EACCES it is of another snapshot
 * or revoked, or there is no such snapshot; EKEYEXPIRED; EOPNOTSUPP that machine has no module.
 */
#define MITOSIS_RESUME_REMOTE 6

/*
 * MITOSIS_PREPARE_PINNED - MITOSIS_PREPARE whose snapshot outlives the file.
 * Argument: the handler id, by value. The original calls it PreparePing.
 * Effect: the snapshot stays until MITOSIS_IOC_UNPREPARE.
 * Errors: as MITOSIS_PREPARE.
 */
#define MITOSIS_PREPARE_PINNED 7

/*
 * MITOSIS_NIL_RPC - one empty request to another machine.
 * Argument: pointer to struct mitosis_remote_req; its handler_id is ignored.
 * Errors: EFAULT, ENOTCONN, and what MITOSIS_CONNECT says of answers.
 */
#define MITOSIS_NIL_RPC 8

/* Length of a GID in text, without a final NUL: eight groups of four digits. */
#define MITOSIS_GID_LENGTH 39

/* The longest address, without its final NUL. */
#define MITOSIS_ADDRESS_LENGTH 255

/*
 * 16 bytes on LP64. `gid` is a GID, of which the module reads
 * MITOSIS_GID_LENGTH bytes whether or not a NUL follows; or an address that is
 * NUL-terminated within MITOSIS_ADDRESS_LENGTH + 1 bytes: "tcp://host:port", or
 * "rdma://host[:port][%nic_id]" for pages by RDMA. The default port, also of a GID, is 7473; host
 * is an IPv4 address in dots or an IPv6 address in brackets. `nic_id` is the RDMA port of
 * this machine to use, if the text has none: they count from 0 by device, shorter names
 * first, and by port. 0 leaves the choice to the route; in the text it is the first port.
 */
struct mitosis_connect_req {
	unsigned int machine_id;
	unsigned int nic_id;
	const char *gid;
};

/* 8 bytes. */
struct mitosis_remote_req {
	unsigned int machine_id;
	unsigned int handler_id;
};

/* The snapshot stays after its file is closed. */
#define MITOSIS_SNAPSHOT_PINNED 0x1u

/* One snapshot of this machine. 24 bytes. */
struct mitosis_snapshot {
	__u32 handler_id;
	__u32 flags;	      /* MITOSIS_SNAPSHOT_* */
	__s32 owner_pid;      /* the parent that prepared it */
	__s32 shadow_pid;     /* process that holds its memory; 0: the module */
	__u64 prepared_at_ns; /* CLOCK_REALTIME, ns since the epoch */
};

/*
 * MITOSIS_IOC_UNPREPARE - drop a snapshot of the caller's on this machine.
 * Argument: pointer to the handler id, a __u32.
 * Effect: it can no longer be resumed. Its memory stays as long as children need it.
 * Errors: EFAULT; ENOENT no such snapshot of this user.
 */
#define MITOSIS_IOC_UNPREPARE _IOW('m', 1, __u32)

/*
 * MITOSIS_IOC_NEXT - step through the caller's snapshots of this machine.
 * Argument: pointer to struct mitosis_snapshot; handler_id is read.
 * Effect: the whole struct is overwritten with the snapshot that has the
 * smallest handler id not below the one given.
 * Errors: EFAULT; ENOENT there is none.
 */
#define MITOSIS_IOC_NEXT _IOWR('m', 2, struct mitosis_snapshot)

/*
 * Limits and defaults of the module, of libmitosis and its programs, and of
 * Java (a test compares those of Java with these).
 */
/*
 * Pages per fault: a power of two. A larger window costs little more per fault,
 * but also copies pages that are not touched.
 */
#define MITOSIS_PREFETCH_PAGES_MAX     512
#define MITOSIS_PREFETCH_PAGES_DEFAULT 64
/* The deadline of each wait for another machine, ms; at least 1. */
#define MITOSIS_DEADLINE_MS_MAX	    3600000
#define MITOSIS_DEADLINE_MS_DEFAULT 10000
/* Size of the key that machines share, bytes. */
#define MITOSIS_KEY_SIZE_MIN 16
#define MITOSIS_KEY_SIZE_MAX 4096

/* All pages are copied before the child's first instruction. */
#define MITOSIS_OPTION_EAGER 0x1u
/* Pages of another machine are kept here for later children of the snapshot. */
#define MITOSIS_OPTION_CACHE 0x2u
/* The child's pages are its own from the start, not shared until written. */
#define MITOSIS_OPTION_COPY 0x4u

/* How a device resumes. 16 bytes; may grow: 0 is the default of later fields. */
struct mitosis_options {
	__u32 flags;	      /* MITOSIS_OPTION_* */
	__u32 prefetch_pages; /* MITOSIS_PREFETCH_PAGES_*; 0: the module's */
	__u32 deadline_ms;    /* MITOSIS_DEADLINE_MS_*; 0: the module's */
	__u32 reserved;	      /* 0 */
};

/*
 * MITOSIS_IOC_SET_OPTIONS - set how later resumes on this file work.
 * Argument: pointer to struct mitosis_options.
 * Effect: overrides the module's parameters. A longer struct than the module
 * knows is accepted if the rest of it is 0.
 * Errors: EFAULT; EINVAL unknown flag or value out of range; E2BIG.
 */
#define MITOSIS_IOC_SET_OPTIONS _IOW('m', 3, struct mitosis_options)

/* What the module has done since it was loaded. 128 bytes; may grow. */
struct mitosis_stat {
	__u64 snapshots; /* that exist now */
	__u64 children;	 /* processes whose memory was resumed, now */
	__u64 prepares, prepare_failures;
	__u64 resumes, resume_failures;
	__u64 faults;	    /* page faults of children that were served */
	__u64 pages_shared; /* mapped to a child without a copy */
	__u64 pages_copied;
	__u64 pages_fetched;	    /* from other machines */
	__u64 pages_served;	    /* to other machines */
	__u64 fault_failures;	    /* each was a SIGBUS */
	__u64 pages_by_rdma;	    /* of those fetched */
	__u64 rdma_links;	    /* connections by RDMA that were set up */
	__u64 rdma_fallbacks;	    /* requests that were repeated over TCP */
	__u64 pages_served_by_rdma; /* of those served */
};

/*
 * MITOSIS_IOC_STAT - read the counters.
 * Argument: pointer to struct mitosis_stat.
 * Effect: it is overwritten; the rest of a longer struct becomes 0.
 * Errors: EFAULT.
 */
#define MITOSIS_IOC_STAT _IOR('m', 4, struct mitosis_stat)

/* The longest life of a token: ten years. */
#define MITOSIS_TOKEN_SECONDS_MAX 315360000u

/* Permits its bearer to resume one snapshot. 24 bytes. */
struct mitosis_token {
	__u32 handler_id;
	__u32 expires_s; /* CLOCK_BOOTTIME, s; 0: never */
	__u8 secret[16];
};

/*
 * MITOSIS_IOC_TOKEN - make a token of a snapshot, as its owner.
 * Argument: pointer to struct mitosis_token; handler_id is read, and expires_s as the
 * number of seconds until it expires, up to MITOSIS_TOKEN_SECONDS_MAX; 0: never.
 * Effect: expires_s is overwritten with the time of that, and secret is filled, for
 * MITOSIS_IOC_PRESENT. A snapshot can have many tokens.
 * Errors: EFAULT; EINVAL expires_s out of range; ENOENT no such snapshot; EPERM the
 * caller may not resume it, and it was not prepared on this file by its owner.
 */
#define MITOSIS_IOC_TOKEN _IOWR('m', 5, struct mitosis_token)

/*
 * MITOSIS_IOC_PRESENT - show a token.
 * Argument: pointer to struct mitosis_token, as MITOSIS_IOC_TOKEN returned it.
 * Effect: this file may resume that snapshot of another user, any number of times, until
 * the token expires or is revoked; then resume returns EKEYEXPIRED or EKEYREVOKED.
 * Errors: EFAULT; EACCES it is of another snapshot or revoked, or there is no such
 * snapshot; EKEYEXPIRED.
 */
#define MITOSIS_IOC_PRESENT _IOW('m', 6, struct mitosis_token)

/*
 * MITOSIS_IOC_REVOKE - make all tokens of a snapshot invalid.
 * Argument: pointer to the handler id, a __u32.
 * Effect: files on which one was presented can no longer resume by it. Children stay.
 * Errors: EFAULT; ENOENT no such snapshot of this user.
 */
#define MITOSIS_IOC_REVOKE _IOW('m', 7, __u32)

/* A token of a snapshot of another machine. 28 bytes. */
struct mitosis_remote_token {
	__u32 machine_id;
	struct mitosis_token token;
};

/*
 * MITOSIS_IOC_PRESENT_REMOTE - show a token of another machine.
 * Argument: pointer to struct mitosis_remote_token; the token as MITOSIS_IOC_TOKEN
 * returned it there. It expires by that machine's clock.
 * Effect: MITOSIS_RESUME_REMOTE on this file sends it with requests for that
 * snapshot, and that machine's module decides. It replaces the file's earlier one.
 * Errors: EFAULT.
 */
#define MITOSIS_IOC_PRESENT_REMOTE _IOW('m', 11, struct mitosis_remote_token)

/* A snapshot of any user. 8 bytes. */
struct mitosis_snapshot_of {
	__u32 owner_uid; /* in the caller's user namespace */
	__u32 handler_id;
};

/*
 * MITOSIS_IOC_UNPREPARE_OF - drop a snapshot of any user.
 * Argument: pointer to struct mitosis_snapshot_of.
 * Effect: as MITOSIS_IOC_UNPREPARE.
 * Errors: EFAULT; ENOENT no such snapshot; EPERM it is another user's, and the caller
 * has no CAP_SYS_PTRACE in that user's namespace.
 */
#define MITOSIS_IOC_UNPREPARE_OF _IOW('m', 8, struct mitosis_snapshot_of)

/* 32 bytes. */
struct mitosis_owned_snapshot {
	__u32 owner_uid; /* in the initial user namespace */
	__u32 reserved;	 /* 0 */
	struct mitosis_snapshot snapshot;
};

/*
 * MITOSIS_IOC_NEXT_OF - step through the snapshots of all users.
 * Argument: pointer to struct mitosis_owned_snapshot; owner_uid and
 * snapshot.handler_id are read.
 * Effect: as MITOSIS_IOC_NEXT, in the order of users, then of handler ids.
 * Errors: EFAULT; ENOENT there is none; EPERM the caller has no CAP_SYS_PTRACE.
 */
#define MITOSIS_IOC_NEXT_OF _IOWR('m', 9, struct mitosis_owned_snapshot)

#define MITOSIS_ALL_USERS 0xffffffffu

/*
 * MITOSIS_IOC_UNPREPARE_ALL - drop all snapshots of a user.
 * Argument: pointer to the user id, a __u32, or MITOSIS_ALL_USERS.
 * Effect: as MITOSIS_IOC_UNPREPARE for each; returns how many.
 * Errors: EFAULT; EINVAL no such user in the caller's user namespace; EPERM another
 * user than the caller, who has no CAP_SYS_PTRACE.
 */
#define MITOSIS_IOC_UNPREPARE_ALL _IOW('m', 10, __u32)

/* The longest description, in bytes. */
#define MITOSIS_DESCRIPTION_SIZE_MAX (32u << 20)

/* A prepare with a description of the process. 24 bytes. */
struct mitosis_described {
	__u32 handler_id;
	__u32 flags;	   /* MITOSIS_SNAPSHOT_PINNED, or 0 */
	__u64 description; /* its address */
	__u64 size;	   /* its bytes */
};

/*
 * MITOSIS_IOC_PREPARE_DESCRIBED - MITOSIS_PREPARE with state that the module cannot read.
 * Argument: pointer to struct mitosis_described. The description is a descriptor
 * (native-module/PROTOCOL.md) without VMAs and extended registers. The module takes its
 * other threads, which the caller has stopped in a signal handler, its open files with
 * their bytes, its clocks, and the state of its process, to which it adds what it can read
 * (kernel/process_state.h); it writes the rest itself.
 * Effect: as MITOSIS_PREPARE; children of MITOSIS_IOC_BECOME can have all this.
 * Errors: as MITOSIS_PREPARE; EFAULT; E2BIG; EINVAL unknown flag, or a description that
 * is not valid.
 */
#define MITOSIS_IOC_PREPARE_DESCRIBED _IOW('m', 12, struct mitosis_described)

/*
 * MITOSIS_IOC_OPEN_LOCAL, MITOSIS_IOC_OPEN_REMOTE - open a snapshot to become its child.
 * Argument: pointer to the handler id, a __u32; pointer to struct mitosis_remote_req.
 * Effect: returns an open file, close-on-exec, with this file's options: read(2) returns the
 * descriptor, and MITOSIS_IOC_BECOME resumes. The snapshot's memory stays while it is open,
 * but a snapshot that was dropped since gets no new children.
 * Errors: as MITOSIS_RESUME_LOCAL and MITOSIS_RESUME_REMOTE, except EINVAL for
 * threads; EMFILE.
 */
#define MITOSIS_IOC_OPEN_LOCAL	_IOW('m', 13, __u32)
#define MITOSIS_IOC_OPEN_REMOTE _IOW('m', 14, struct mitosis_remote_req)

/* Whole pages of the caller's memory: addresses, `end` not included. 16 bytes. */
struct mitosis_kept_memory {
	__u64 start, end;
};

/*
 * MITOSIS_IOC_BECOME - become a child of an opened snapshot.
 * On a file of MITOSIS_IOC_OPEN_*. Argument: pointer to struct mitosis_kept_memory.
 * Effect: with an empty range (both 0) as MITOSIS_RESUME_LOCAL. Else the caller's other
 * memory is replaced, and it returns 0 to its code in that range, with its registers,
 * open files and signal handlers; its restartable sequences are not registered and its
 * robust list and address to clear at exit are 0. That code makes the child's threads
 * and files.
 * Errors: as MITOSIS_RESUME_LOCAL, also if the token has expired or was revoked since; ENOENT the
 * snapshot was dropped since; EFAULT; EINVAL the range is not of whole pages, or overlaps the
 * snapshot, the caller's vdso or memory that the caller has of its own snapshot, or it is empty and
 * the parent had several threads; EPERM the caller did not open the snapshot, or has gained
 * capabilities since.
 */
#define MITOSIS_IOC_BECOME _IOW('m', 15, struct mitosis_kept_memory)

/* Identifies a child among all others. 16 bytes. */
struct mitosis_told {
	__u64 number; /* greater than those of all earlier children of this machine */
	__u32 machine_id; /* the module's parameter */
	__u32 reserved;	  /* 0 */
};

/*
 * MITOSIS_IOC_COUNT - take the number of a child that is about to be made.
 * On a file of MITOSIS_IOC_OPEN_*. Argument: pointer to struct mitosis_told.
 * Effect: it is overwritten; each call gets another number. For callers of MITOSIS_IOC_BECOME
 * with a range, which make the child. To any other child the module passes its number in the
 * registers that DESCRIPTOR_TOLD (native-module/proto/descriptor.h) names, if its parent reads them.
 * Errors: EFAULT; ENOEXEC as MITOSIS_IOC_BECOME, so that a caller learns of it before it gives up
 * its own files and memory.
 */
#define MITOSIS_IOC_COUNT _IOR('m', 16, struct mitosis_told)

#endif /* _UAPI_MITOSIS_H */
