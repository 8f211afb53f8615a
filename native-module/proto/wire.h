/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The protocol between machines, over TCP. See PROTOCOL.md.
 *
 * Every message is a struct wire_header and `length` bytes of body, all
 * little-endian. The comment of each type names its body. A body of another length
 * ends the connection.
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#include "proto/rights.h"

#define WIRE_MAGIC	0x3157544du /* "MTW1" in memory */
#define WIRE_VERSION	4
#define WIRE_NONCE_SIZE 32
#define WIRE_MAC_SIZE	32 /* HMAC-SHA-256 */

enum wire_type {
	WIRE_HELLO = 1,	    /* client: struct wire_hello */
	WIRE_CHALLENGE = 2, /* server: struct wire_challenge */
	WIRE_PROOF = 3,	    /* client: struct wire_proof */
	WIRE_NIL = 4,	    /* client: nothing; answered */
	/* client: struct wire_open; answered by WIRE_RIGHTS and the descriptor */
	WIRE_OPEN = 5,
	WIRE_PAGES =
		6, /* client, after WIRE_OPEN: struct wire_pages; answered by them */
	WIRE_ANSWER = 7, /* server: the requested bytes, or a status */
	/*
	 * client, after WIRE_OPEN: struct wire_pages, of any length; answered by up to
	 * WIRE_RUNS_MAX struct wire_run
	 */
	WIRE_RUNS = 8,
	/*
	 * client, instead of WIRE_OPEN: struct wire_rdma; answered by struct
	 * wire_rdma_answer
	 */
	WIRE_RDMA = 9,
	/*
	 * client, instead of WIRE_OPEN: struct wire_token; answered in the same way, or
	 * -EACCES or -EKEYEXPIRED; -EOPNOTSUPP from mitosisd, which has none
	 */
	WIRE_OPEN_BY_TOKEN = 10,
	/*
	 * server, before the descriptor, of which the parent could have written what it
	 * says of the same: struct wire_rights, with RIGHTS_KNOWN
	 */
	WIRE_RIGHTS = 11,
	/*
	 * client, instead of WIRE_OPEN, to a machine that has a session to the snapshot's:
	 * struct wire_open_replica; answered in the same way. -ENOTCONN it has none; -ESTALE the
	 * snapshot that it had under this handler id has been dropped: ask again
	 */
	WIRE_OPEN_REPLICA = 12,
	/*
	 * client, after WIRE_OPEN: struct wire_pages, 1 to WIRE_DIGESTS_MAX pages; answered by the
	 * first WIRE_DIGEST_SIZE bytes of the SHA-256 of each, or -EFAULT. Only the snapshot's own machine
	 * answers: of a machine between -EOPNOTSUPP
	 */
	WIRE_DIGESTS = 13,
};

/* 16 bytes. */
struct wire_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;	 /* enum wire_type */
	int32_t status;	 /* WIRE_ANSWER, WIRE_CHALLENGE: 0 or -errno; then no body */
	uint32_t length; /* of the body, bytes */
};

/* What protects a session. Both ends must have the same. */
enum wire_protection {
	WIRE_PROTECTION_NONE = 0,      /* MACs are zeros */
	WIRE_PROTECTION_HANDSHAKE = 1, /* proofs of the key, then plain messages */
	WIRE_PROTECTION_SEALED = 2,    /* proofs of the key, then records */
};

/* 40 bytes. */
struct wire_hello {
	uint32_t machine_id; /* of the client */
	uint32_t protection; /* enum wire_protection */
	uint8_t nonce[WIRE_NONCE_SIZE];
};

/* 72 bytes. */
struct wire_challenge {
	uint32_t machine_id; /* of the server */
	/* enum wire_protection; if not the client's, nonce and MAC are zeros. */
	uint32_t protection;
	uint8_t nonce[WIRE_NONCE_SIZE];
	uint8_t mac[WIRE_MAC_SIZE]; /* over "server", both hellos, the binding */
};

/* 40 bytes. */
struct wire_rights {
	struct parent_rights has;
	uint64_t
		snapshot; /* its number, which no other one gets; 0: for no WIRE_RDMA */
};

/* 32 bytes; answered by WIRE_ANSWER. */
struct wire_proof {
	uint8_t mac[WIRE_MAC_SIZE]; /* over "client", both hellos, the binding */
};

/*
 * What a sealed session's MACs and secrets cover besides both hellos. It is not
 * sent: each end has it from its own socket. 40 bytes.
 */
struct wire_binding {
	uint8_t client_ip[16]; /* IPv6, or ::ffff:a.b.c.d */
	uint8_t server_ip[16];
	uint16_t client_port;
	uint16_t server_port;
	uint16_t version; /* WIRE_VERSION */
	uint16_t protection;
};

/* 8 bytes. */
struct wire_open {
	uint32_t handler_id;
	uint32_t owner_uid; /* whose snapshot; mitosisd has its user's only */
};

/* A snapshot of another machine than the one that is asked. 16 bytes. */
struct wire_open_replica {
	uint32_t handler_id;
	uint32_t owner_uid;  /* as in struct wire_open */
	uint32_t machine_id; /* of the snapshot */
	uint32_t reserved;
};

/* A snapshot of any user, by a token that its machine's module has made. 24 bytes. */
struct wire_token {
	uint32_t handler_id;
	uint32_t expires_s;
	uint8_t secret[16];
};

/*
 * 16 bytes. Length 0 asks whether the snapshot takes further children: 0, or
 * -ENOENT when it has been dropped and only serves the children it has, or
 * -EKEYREVOKED or -EKEYEXPIRED when the token by which it was opened is not valid.
 */
struct wire_pages {
	uint64_t address; /* multiple of the page size */
	uint64_t
		length; /* multiple of the page size; of WIRE_PAGES at most WIRE_PAGES_MAX */
};

/*
 * Pages of the snapshot that may be other than zeros, or their file's: the others need
 * not be copied. Runs ascend, lie in the range that was asked for, and do not overlap.
 * Fewer than WIRE_RUNS_MAX: there are no more. 16 bytes.
 */
struct wire_run {
	uint64_t address, length; /* multiples of the page size, length > 0 */
};

/*
 * A sealed session sends its messages, from the end of the handshake on, in
 * records: this header, `size` encrypted bytes, and the tag of AES-128-GCM over
 * both. Each request is one record; answers are a stream of bytes that is cut into
 * records anywhere. The nonce is the direction's iv, whose last
 * 8 bytes are xored with the number, most significant byte first. 16 bytes.
 */
struct wire_record {
	uint32_t magic;	 /* WIRE_RECORD_MAGIC */
	uint32_t size;	 /* 1 to WIRE_RECORD_TEXT_MAX bytes */
	uint64_t number; /* of the record in its direction, from 0 */
};

#define WIRE_RECORD_MAGIC    0x3252544du /* "MTR2" in memory */
#define WIRE_RECORD_TEXT_MAX (16u << 10)
#define WIRE_RECORD_TAG_SIZE 16
#define WIRE_RECORD_KEY_SIZE 16
#define WIRE_RECORD_IV_SIZE  12

/* The secrets of one direction of a sealed session. 28 bytes. */
struct wire_record_secret {
	uint8_t key[WIRE_RECORD_KEY_SIZE];
	uint8_t iv[WIRE_RECORD_IV_SIZE];
};

/* Of what each end sends. 56 bytes. */
struct wire_secrets {
	struct wire_record_secret client, server;
};

/*
 * Asks for a second way to a snapshot's pages, beside a session that has sent
 * WIRE_OPEN. 24 bytes.
 */
struct wire_rdma {
	uint32_t handler_id;
	uint32_t owner_uid; /* as in struct wire_open */
	uint32_t pages_max; /* of one request, at least 1 */
	uint32_t depth;	    /* requests that are under way at a time, at least 1 */
	uint64_t
		snapshot; /* of WIRE_RIGHTS: the handler id may be another one's by now */
};

/* Where the server's RDMA connection manager listens. 24 bytes. */
struct wire_rdma_address {
	uint8_t ip[16]; /* IPv6, or ::ffff:a.b.c.d */
	uint16_t port;
	uint16_t reserved[3];
};

/* At most what was asked for; then `count` addresses. 16 bytes. */
struct wire_rdma_answer {
	uint32_t pages_max;
	uint32_t depth;
	uint32_t count; /* 1 to WIRE_RDMA_ADDRESSES_MAX */
	uint32_t reserved;
};

/*
 * A message of the client over RDMA. The answer is one message of exactly
 * `pages.length` bytes; an empty one if the server does not have them: the client
 * asks over TCP. 32 bytes.
 */
struct wire_rdma_request {
	struct wire_header header; /* WIRE_PAGES */
	struct wire_pages pages;
};

#define WIRE_RDMA_TOKEN_SIZE	32
#define WIRE_RDMA_ADDRESSES_MAX 4u
/* Time from the answer until the token is refused, ms. */
#define WIRE_RDMA_TOKEN_MS 10000

#define WIRE_PAGES_MAX	    (4u << 20)
#define WIRE_RUNS_MAX	    64u
#define WIRE_DIGEST_SIZE    16u
#define WIRE_DIGESTS_MAX    64u
#define WIRE_DESCRIPTOR_MAX (256u << 20)

#endif /* PROTO_WIRE_H */
