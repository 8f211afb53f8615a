/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one child may take of the process that serves its pages, which is not in the
 * child's control group.
 */
#ifndef LOCAL_CHILD_LIMITS_H
#define LOCAL_CHILD_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define CHILD_PROCESSES_DEFAULT 256u
#define CHILD_PROCESSES_MAX	8192u
#define CHILD_MAP_KIB_DEFAULT	16384u
#define CHILD_MAP_KIB_MAX	1048576u

struct child_limits {
	uint32_t
		processes; /* address spaces at a time: its own, and what it forks */
	uint32_t map_kib;  /* for where its moved and dropped pages lie, in KiB */
};

#define PAGERS_DEFAULT 64u
#define PAGERS_MAX     4096u

#define SHARED_MIB_DEFAULT 64u
#define SHARED_MIB_MAX	   1048576u

/* Reads $MITOSIS_SHARED_MIB: shared memory that a snapshot copies, as mapped, in MiB. */
int shared_limit_read(uint32_t *mib, char *problem, size_t size);

/* The most MiB of $MITOSIS_REPLICA_MIB: a TiB. */
#define REPLICA_MIB_MAX (1u << 20)

/*
 * Reads $MITOSIS_REPLICA_MIB: what a replica may get of pages beside those it asks for itself; 0: none.
 * *mib is as it was if it is not set.
 */
int replica_limit_read(uint32_t *mib, char *problem, size_t size);

/* What a replica gets of the snapshot's pages before its children ask for them. */
enum replica_fill {
	REPLICA_FILL_OFF,
	REPLICA_FILL_RECORDED, /* those that an earlier child touched first */
	REPLICA_FILL_ALL,
};

/* Reads $MITOSIS_REPLICA_FILL: off, recorded (if it is not set) or all. */
int replica_fill_read(enum replica_fill *fill, char *problem, size_t size);

/* Reads $MITOSIS_PAGERS: processes of mitosisd that serve snapshots of other machines. */
int pagers_limit_read(uint32_t *pagers, char *problem, size_t size);

/*
 * Reads $MITOSIS_CHILD_PROCESSES and $MITOSIS_CHILD_MAP_KIB. Returns 0, or -EINVAL with
 * the reason in `problem`.
 */
int child_limits_read(struct child_limits *limits, char *problem, size_t size);

#endif /* LOCAL_CHILD_LIMITS_H */
