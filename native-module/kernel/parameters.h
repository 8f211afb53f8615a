/* SPDX-License-Identifier: GPL-2.0 */
/* The module's parameters, and the options of a resume. */
#ifndef MITOSIS_PARAMETERS_H
#define MITOSIS_PARAMETERS_H

#include <linux/types.h>

#include "uapi/mitosis.h"

extern unsigned int mitosis_machine_id;
extern char *mitosis_listen; /* tcp://host:port; empty: no server */
extern char *mitosis_key_file;
extern char *mitosis_protection; /* "sealed", "handshake" or "none" */
extern bool mitosis_private_network;
extern bool mitosis_selftest;

/* The options that the module's parameters set. */
struct mitosis_options mitosis_options_default(void);

/* The parameter deadline_ms, in its limits. */
unsigned int mitosis_deadline_ms(void);

/* Whether the parameter transport is auto. */
bool mitosis_upgrades(void);

/* The parameters rdma_wait_ms, at most 4000, and rdma_retry_ms. */
unsigned int mitosis_rdma_wait_ms(void);
unsigned int mitosis_rdma_retry_ms(void);

/* Limits of a user without CAP_SYS_RESOURCE. */
unsigned int mitosis_snapshots_per_user(void);
unsigned long mitosis_snapshot_pages_per_user(void);

/* Places of the server: of all machines, of one address, and to one user's snapshots. */
unsigned int mitosis_connections(void);
unsigned int mitosis_connections_per_machine(void);
unsigned int mitosis_connections_per_owner(void);

/* Limit of a user without CAP_SYS_RESOURCE. */
unsigned int mitosis_connections_per_user(void);

/* Checks options and replaces 0 by the module's value. Returns 0 or -EINVAL. */
int mitosis_options_check(struct mitosis_options *options);

#endif /* MITOSIS_PARAMETERS_H */
