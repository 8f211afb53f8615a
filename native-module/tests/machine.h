/* SPDX-License-Identifier: Apache-2.0 */
/* A second machine for a test: a mitosisd of its own. */
#ifndef TESTS_MACHINE_H
#define TESTS_MACHINE_H

#include <stdint.h>
#include <sys/types.h>

#include "proto/user/connection.h"

struct machine {
	pid_t pid; /* of its mitosisd */
	uint16_t port;
	char dir[160];	  /* its runtime directory */
	char address[64]; /* tcp://host:port */
};

/*
 * Makes a key file beside this test's runtime directory and sets
 * MITOSIS_KEY_FILE to it. `name` tells several keys apart.
 */
void use_key(const char *name);

/* Starts a machine with the key in use; ends the test if it cannot. */
struct machine machine_start(uint32_t machine_id);
/* The same at another address than 127.0.0.1. */
struct machine machine_start_at(uint32_t machine_id, const char *host);
void machine_stop(struct machine *machine);

/* Makes the devices that this process opens those of a machine, or its own again. */
void machine_enter(const struct machine *machine);
void machine_leave(void);

/* Connects with the key in use to a port of 127.0.0.1. Returns 0 or -errno. */
int machine_connect(uint16_t port, struct wire_connection *connection);

/* Opens a snapshot of the machine; the shadow has the connection then. Returns its number. */
uint64_t machine_open_snapshot(struct wire_connection *connection,
			       uint32_t handler_id);

#endif /* TESTS_MACHINE_H */
