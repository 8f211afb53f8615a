/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of RDMA share: a child whose pages come from another machine. */
#ifndef TESTS_RDMA_CHILD_H
#define TESTS_RDMA_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/machine.h"

#define RDMA_MACHINE 2
#define RDMA_ID	     7
/* The first pages of its memory stay what they were in the parent as well. */
#define RDMA_KEPT 16

/* What came on which way, as a pager's last line in the trace has it. */
struct rdma_counts {
	unsigned long by_tcp, by_rdma, fallbacks;
};

/*
 * Starts a machine, with a snapshot RDMA_ID there whose children check all of their
 * memory: half of it, and the other half after rdma_child_go().
 */
void rdma_prepare(const char *host);

/*
 * Whether the snapshot is the kernel module's, instead of a mitosisd's:
 * MITOSIS_TEST_RDMA_PARENT is "kernel".
 */
bool rdma_of_module(void);

/* The machine that has the snapshot, and the snapshot's shadow. */
extern struct machine rdma_machine;
extern pid_t rdma_shadow;

/* Where the snapshot's memory is, and whether bytes are those at an offset of it. */
const void *rdma_memory(void);
bool rdma_is_memory(const void *bytes, size_t offset, size_t size);

/* What the address begins with, "rdma" or "tcp", and what follows it: "", or "%nic_id". */
extern const char *rdma_scheme, *rdma_nic;

/* How many pages children ask for at once. */
extern uint32_t rdma_window;

/* Whether children are the kernel module's, instead of this machine's mitosisd's. */
extern bool rdma_by_module;

/* Starts a child, and returns when it has checked a half. */
pid_t rdma_child_start(void);

/* Has the child check the other half. */
void rdma_child_go(void);

/* The process that serves the snapshot's pages by RDMA, of a machine of the user backend. */
pid_t rdma_porter(void);

/* Kills the shadow between the halves of a child; returns the signal that ends the child. */
int rdma_end_with_shadow(void);

/* What the pager that has ended last has counted; waits for its end. */
struct rdma_counts rdma_count(void);

/* How often RDMA was set up in this machine's pagers, with success or without. */
int rdma_set_ups(bool success);

/* The same counts of all pagers, as mitosisd keeps them in its runtime directory. */
struct rdma_counts rdma_count_all(void);

/* Drops the snapshot and ends the machine. */
void rdma_end(void);

#endif /* TESTS_RDMA_CHILD_H */
