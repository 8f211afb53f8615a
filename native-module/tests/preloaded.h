/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that know nothing of the library: they are started with libmitosis-preload.so, prepared
 * by mitosis-prepare, and resumed by mitosis-child. Every wait has a deadline, after which the
 * test fails.
 */
#ifndef TESTS_PRELOADED_H
#define TESTS_PRELOADED_H

#include "tests/harness.h"
#include "tests/machine.h"

struct preloaded {
	pid_t pid;
	uint16_t port;	  /* that it listens at, on 127.0.0.1 */
	char socket[160]; /* of libmitosis-preload.so */
};

/* A port of 127.0.0.1 that no process listens at, so that a program can be told. */
uint16_t free_port(void);

/* Starts a program, with its standard output as `output` unless that is -1. */
struct preloaded preloaded_start(const char *name, const char *const *argv,
				 int output);

/* Ends it by SIGKILL. */
void preloaded_end(struct preloaded *p);

/*
 * Runs mitosis-prepare with up to three options. Returns its exit status, with what it printed,
 * errors included.
 */
int run_prepare(const struct preloaded *p, const char *const *options, char *printed,
		size_t size);

/* mitosis-child of a snapshot of a machine; in a network of its own. */
pid_t resume_from_machine(const struct machine *machine, const char *handler_id);

/* The child that a mitosis-child stands in for. */
pid_t child_behind(pid_t stand_in, const char *name);

/*
 * Whether what a server on 127.0.0.1 answers to `request` has `expected` in it, within 10 s.
 * In the network of this process, or of another one.
 */
bool answers(uint16_t port, const char *request, const char *expected);
bool answers_in_network_of(pid_t pid, uint16_t port, const char *request,
			   const char *expected);

#endif /* TESTS_PRELOADED_H */
