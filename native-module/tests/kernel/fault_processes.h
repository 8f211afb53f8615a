/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parents and children of the fault tests. All of them share two pipes, made once,
 * so that their descriptors are the same in snapshots and in this process.
 */
#ifndef TESTS_KERNEL_FAULT_PROCESSES_H
#define TESTS_KERNEL_FAULT_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/harness.h"

#define PAGE 4096
#define ID   73

/* Allocates the memory of the parents and makes the pipes. */
void init_processes(void);

/* Expects 'p' of a parent or 'c' of a child within `ms`. */
void expect_message(char message, int ms);

/* Lets one child that waits, or the next one, go on. */
void release_child(void);

/* Empties the pipes of the messages from and for killed children. */
void drain_pipes(void);

/* Prepares this process. In its children it does not return. */
void prepare(struct mitosis *device, uint32_t id, bool pinned);

/* Starts a process that prepares itself and runs until it is killed. */
pid_t start_parent(int backend, uint32_t id, bool pinned);
void end_process(pid_t pid);

#endif /* TESTS_KERNEL_FAULT_PROCESSES_H */
