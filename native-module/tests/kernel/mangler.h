/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine in the middle of the module's clients and its server, which disturbs one
 * connection at an offset. The clients are in a network namespace of their own. There it
 * has the address that the module has here, and here that of the client there: both ends
 * of a sealed session see the addresses of a direct connection.
 */
#ifndef TESTS_KERNEL_MANGLER_H
#define TESTS_KERNEL_MANGLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer than what a client waits for that must time out, ms. */
#define MANGLER_STALL_MS 1200

/* The change to one connection, at an offset of one direction. */
struct mangling {
	bool of_answers;
	enum {
		CHANGE,
		CUT,
		STALL,
		RANDOM_KINDS,
		/* Of the record at the offset. */
		REPEAT = RANDOM_KINDS,
		DROP,
		EXCHANGE, /* it is sent behind the next one */
	} kind;
	size_t offset;
	unsigned char flip; /* CHANGE: these bits */
};

/* The port on which the module listens; skips the test if it does not. */
uint16_t module_port(void);

/* A connection to a port of the loopback address, or -1. */
int dial(uint16_t port);

/* Network namespaces, for setns(2): of the module's server, and of the clients. */
extern int here, there;

/* Skips the test without the right to make a namespace. */
void mangler_start(void);
void mangler_stop(void);

/* What is done to each later connection; NULL: something random. */
void mangler_choose(const struct mangling *mangling);

/* How many connections there were. */
int mangler_connections(void);

/* Where random changes are. */
void mangler_set_largest_offset(size_t offset);

#endif /* TESTS_KERNEL_MANGLER_H */
