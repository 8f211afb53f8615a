/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between libmitosis, mitosisd and the shadows of one machine.
 *
 * They travel over SOCK_SEQPACKET Unix sockets named by path, so that they
 * cross network namespaces. Every message is one struct local_message, with one
 * exception, LOCAL_SEALED; a packet of any other length, magic or version ends the
 * connection. See PROTOCOL.md.
 */
#ifndef LOCAL_PROTOCOL_H
#define LOCAL_PROTOCOL_H

#include <stdint.h>

#include "proto/rights.h"
#include "proto/wire.h"

#define LOCAL_MAGIC   0x534f544du /* "MTOS" in memory */
#define LOCAL_VERSION 8

enum local_type {
	LOCAL_HELLO = 1,     /* device -> daemon; answered with the registry */
	LOCAL_UNPREPARE = 2, /* device -> daemon: drop handler_id */
	LOCAL_ATTACH =
		3,     /* device -> daemon; answered with a stream to the shadow */
	LOCAL_BYE = 4, /* device -> daemon: drop the device's unpinned snapshot */
	LOCAL_REGISTER = 5, /* shadow -> daemon, on a reserved channel: holds slot,
			       generation */
	LOCAL_SERVE = 6,    /* daemon -> shadow, with one end of a stream */
	LOCAL_ANSWER = 7,   /* reply, with a status */
	LOCAL_LINGER = 8,   /* shadow -> daemon: stays until its last child ends */
	LOCAL_CONNECT =
		9,	 /* device -> daemon, with a TCP connection to machine_id */
	LOCAL_KEEP = 11, /* shadow -> daemon, with the uffd of what a child forked */
	LOCAL_CPU_SERVER =
		12, /* shadow -> daemon, with the pidfd of its server on cpu */
	/*
	 * daemon -> shadow or pager: has no room for the uffd of the LOCAL_KEEP with
	 * the same cpu, slot and generation.
	 */
	LOCAL_REFUSED = 13,
	LOCAL_SESSION =
		10, /* device -> daemon: asks for the address of machine_id */
	/* device -> daemon, on a channel that its next shadow inherits: `device` */
	LOCAL_RESERVE = 14,
	/*
	 * daemon -> porter, with a stream to a shadow: struct local_grant follows in the
	 * packet; answered by LOCAL_ANSWER with the same `device`, the grant's number,
	 * and the port of its connection manager
	 */
	LOCAL_GRANT = 15,
	/*
	 * pager -> daemon: its replica has all pages, and the other machine has gone; it
	 * serves without a session to that
	 */
	LOCAL_ALONE = 16,
};

/* The snapshot is dropped, but its shadow stays until its last child ends. */
#define LOCAL_LINGERS 0x1u

/* LOCAL_SERVE: the descriptor is a TCP connection that has sent WIRE_OPEN. */
#define LOCAL_MACHINE 0x2u

/* LOCAL_SERVE with LOCAL_MACHINE: a struct local_sealing follows in the packet. */
#define LOCAL_SEALED 0x8u

/* LOCAL_ATTACH: to a snapshot of machine_id, not of this one. */
#define LOCAL_REMOTE 0x4u

/* LOCAL_SERVE: the descriptor is the porter's; answered by struct local_memory. */
#define LOCAL_PORTER 0x10u

/* How pages come from a machine: local_address.transport. */
enum local_transport {
	LOCAL_TRANSPORT_TCP = 0,
	LOCAL_TRANSPORT_RDMA = 1, /* where it can, else by TCP */
	/* By TCP, from a machine that has replicas of the snapshots, not the snapshots' own. */
	LOCAL_TRANSPORT_REPLICA = 2,
};

/*
 * LOCAL_ATTACH with LOCAL_REMOTE, LOCAL_SERVE to a pager: the client may have children
 * forked, with the rights of mitosisd and of the parent.
 */
#define LOCAL_FORKS 0x20u

/*
 * LOCAL_ATTACH to a shadow or replica that forks children: only if they would have the namespaces
 * and the root directory of the device's process; else -EXDEV.
 */
#define LOCAL_LIKE_CALLER 0x40u

/* Where a machine listens. 24 bytes. */
struct local_address {
	uint8_t ip[16];	   /* IPv6, or ::ffff:a.b.c.d */
	uint16_t port;	   /* in host byte order */
	uint8_t transport; /* enum local_transport */
	uint8_t nic;	   /* nic_id + 1 of the RDMA port to use; 0: by the route */
	uint32_t scope;	   /* of link-local addresses */
};

/* 104 bytes, no padding. Fields a type does not use are 0. */
struct local_message {
	uint32_t magic;
	uint16_t version;
	uint16_t type;	/* enum local_type */
	int32_t status; /* LOCAL_ANSWER: 0 or -errno */
	uint32_t handler_id;
	/* LOCAL_ANSWER to LOCAL_HELLO, LOCAL_RESERVE: the device's number */
	uint32_t device;
	/*
	 * LOCAL_ANSWER to LOCAL_RESERVE: the channel's number. LOCAL_REGISTER, LOCAL_ANSWER to LOCAL_ATTACH: the place in the registry.
	 * LOCAL_KEEP, LOCAL_REFUSED: which one, to its sender.
	 */
	uint32_t slot;
	uint64_t generation; /* of that slot */
	/* LOCAL_LINGERS, _MACHINE, _SEALED, _REMOTE, _PORTER, _FORKS, _LIKE_CALLER */
	uint32_t flags;
	uint32_t machine_id;
	struct local_address address;
	/*
	 * LOCAL_ATTACH, LOCAL_SERVE: the CPU on which an attachment starts its
	 * children; -1: a single child. LOCAL_KEEP, LOCAL_CPU_SERVER: the CPU of the
	 * per-CPU server; -1: the sender serves.
	 */
	int32_t cpu;
	uint32_t reserved;
	struct parent_rights
		parent; /* LOCAL_ANSWER to LOCAL_ATTACH, or of a pager: of the parent */
};

/* A sealed session that is passed on, from the receiver's point of view. 80 bytes. */
struct local_sealing {
	struct wire_record_secret in, out;
	uint64_t in_number, out_number; /* of the next record */
	uint32_t wide; /* as of aes_gcm_init(): to ask the CPU again takes time */
	uint32_t reserved;
};

/* Who may connect by RDMA, once, for the pages of which snapshot. 40 bytes. */
struct local_grant {
	uint8_t token[WIRE_RDMA_TOKEN_SIZE];
	uint32_t pages_max, depth;
};

/*
 * A shadow's answer to the porter, with its /proc/self/mem: where its descriptor
 * lies in its memory. 16 bytes.
 */
struct local_memory {
	uint64_t descriptor; /* address */
	uint64_t size;	     /* bytes */
};

/*
 * Requests on the stream between a device or child and a shadow. The answer is
 * one struct shadow_answer, followed by answer.length bytes.
 */
enum shadow_request_type {
	SHADOW_DESCRIPTOR = 1, /* the whole descriptor */
	SHADOW_READ = 2,       /* [address, address + length) of the snapshot */
	SHADOW_PAGE = 3,       /* serve the userfaultfd that comes with it */
	SHADOW_CLONE = 4,      /* fork a child; answered when it ends */
	SHADOW_JOIN = 5,       /* serve the stream that comes with it as well */
};

/*
 * SHADOW_JOIN: answer on the new stream, by a struct shadow_answer, whether the
 * snapshot may have further children. Needed for snapshots of another machine;
 * for those of this machine the registry tells.
 */
#define SHADOW_JOIN_ASK 0x1u

/*
 * SHADOW_CLONE comes with open files, and is followed by `length` bytes: an
 * int32_t for each of them: its number in the child, with
 * SHADOW_CLONE_NUMBER_FLAGS, or one of the negative values below. The answer's 4 bytes are
 * the wait status of the child; or it says what the call has to bring: -EDEADLK a PID
 * namespace, as the parent had threads; -ENOTEMPTY the parent's open files.
 */
#define SHADOW_CLONE_WITH_FILES 0x1u /* flag: they are among those that come */
/* In a number: close-on-exec, and one of the parent's files. */
#define SHADOW_CLONE_ON_EXEC	  0x40000000
#define SHADOW_CLONE_OF_PARENT	  0x20000000
#define SHADOW_CLONE_NUMBER_FLAGS (SHADOW_CLONE_ON_EXEC | SHADOW_CLONE_OF_PARENT)

/* Of a passed file in the child; below 0: none. */
static inline int32_t shadow_clone_number(int32_t passed)
{
	return passed < 0 ? passed : passed & ~SHADOW_CLONE_NUMBER_FLAGS;
}

#define SHADOW_CLONE_FILES_MAX	64u
#define SHADOW_CLONE_NAMESPACES (-1) /* pidfd: join that process's `namespaces` */
#define SHADOW_CLONE_CGROUP	(-2) /* cgroup.procs of a group that it enters */
#define SHADOW_CLONE_ROOT	(-3) /* directory that becomes its root */
#define SHADOW_CLONE_MORE	(-4) /* socket that brings it further files */
/* Directory of the only group, of version 2: it is forked there if that can be. */
#define SHADOW_CLONE_INTO  (-5)
#define SHADOW_CLONE_LEAST SHADOW_CLONE_INTO
/*
 * What SHADOW_CLONE_MORE, a SOCK_SEQPACKET socket, brings the child itself: packets with `count` open files each, at
 * least one, whose numbers, as in SHADOW_CLONE, ascend over all packets. Files with numbers above these are in the call.
 */
struct clone_more_packet {
	uint32_t count;
	uint32_t left; /* files in later packets */
	int32_t numbers[SHADOW_CLONE_FILES_MAX];
};

/* The most bytes of the message that can follow an answer to SHADOW_CLONE other than 0. */
#define SHADOW_CLONE_MESSAGE_MAX 256u

/*
 * Files that a shadow or per-CPU server has open for itself: its channel,
 * /proc/self/mem, /proc/self/pagemap, and its pidfd. Any further file belongs to a client, but
 * that of the trace and, once a page of its own was late, an eventfd.
 */
#define SHADOW_OWN_FILES 4

/* The most bytes that one SHADOW_READ may ask for. */
#define SHADOW_READ_MAX (1u << 20)

/*
 * SHADOW_PAGE comes with a userfaultfd, the write end of a pipe (the lifeline) and,
 * optionally, the child's standard error. The pipe replaces the stream: nothing is
 * written to it, but it shows each side when the other one ends. EAGER: copy every
 * page first, then answer on the stream; else there is no answer.
 */
#define SHADOW_PAGE_EAGER 0x1u
/* SHADOW_PAGE: cache pages of another machine for later children. */
#define SHADOW_PAGE_CACHED 0x2u
/* SHADOW_PAGE: of the pager's replica (local/replica.h); else it is refused. */
#define SHADOW_PAGE_REPLICA 0x4u

/* 48 bytes, no padding. Fields a type does not use are 0. */
struct shadow_request {
	uint32_t magic;
	uint16_t version;
	uint16_t type;	  /* enum shadow_request_type */
	uint64_t address; /* SHADOW_READ; SHADOW_CLONE: the child's number */
	uint64_t length;  /* SHADOW_READ */
	uint32_t flags;	  /* SHADOW_PAGE_*, SHADOW_JOIN_*, SHADOW_CLONE_WITH_FILES */
	/* SHADOW_PAGE: pages per fault, a power of two; SHADOW_CLONE: the machine's id */
	uint32_t window;
	/* SHADOW_PAGE: the child's CPU; SHADOW_CLONE: the CPU to start it on; -1: any */
	int32_t cpu;
	uint32_t namespaces; /* SHADOW_CLONE: CLONE_NEW* */
	/* SHADOW_CLONE: the CPUs that it may run on, a set of the first 64; 0: as `cpu` says */
	uint64_t cpus;
};

/* 8 bytes, no padding. */
struct shadow_answer {
	int32_t status; /* 0 or -errno; then length is 0, but for SHADOW_CLONE */
	uint32_t length;
};

#endif /* LOCAL_PROTOCOL_H */
