/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine in the middle. It is transparent: the server is in a network namespace
 * of its own, and the relay has the same address here as the server has there, and
 * there as the client has here. So both ends see the addresses of a direct
 * connection.
 */
#ifndef TESTS_RELAY_H
#define TESTS_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/machine.h"

/* What is done to one record of a sealed session. */
enum relay_fault {
	RELAY_FAITHFUL,
	RELAY_REPLAY,  /* it is sent twice */
	RELAY_REORDER, /* it is sent behind the next one */
	RELAY_DROP,    /* it is not sent */
	RELAY_FLIP,    /* one bit of its text is changed */
	RELAY_CUT,     /* half of it is sent; then the connection ends */
};

/* Shared by the test and the relay's processes. */
struct relay_control {
	enum relay_fault fault; /* of the next record; then RELAY_FAITHFUL again */
	bool to_client;		/* the direction it happens in */
	uint32_t least;		/* bytes: shorter records are let pass before it */
	bool translates;	/* the client's port, as NAT does */
	char wanted[16];	/* bytes to look for in what passes */
	uint32_t seen;		/* how often they passed */
};

struct relay {
	pid_t pid;
	struct machine machine; /* behind it; its `address` is the relay's */
	volatile struct relay_control *control;
};

/*
 * Starts a machine in a network namespace, with the key and the protection of this
 * process, and the relay. Skips the test without the right to.
 */
struct relay relay_start(uint32_t machine_id);
void relay_stop(struct relay *relay);

/* Disturbs the next record of one direction. */
void relay_arm(struct relay *relay, enum relay_fault fault, bool to_client);

#endif /* TESTS_RELAY_H */
