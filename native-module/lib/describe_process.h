/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a descriptor that says what its process has beside memory and threads. */
#ifndef LIB_DESCRIBE_PROCESS_H
#define LIB_DESCRIBE_PROCESS_H

#include "proto/descriptor.h"

#define PROCESS_PATH_SIZE 4096

/* "": not known. */
struct process_paths {
	char working_directory[PROCESS_PATH_SIZE];
	char program[PROCESS_PATH_SIZE];
};

/*
 * Describes this process, without the strings. Returns the DESCRIPTOR_* flags that belong
 * to it. With `paths`, which a shadow has, also what only a process with one thread can
 * read. A process with a seccomp filter is not looked at: the filter might end it.
 */
uint32_t describe_process(struct descriptor_process *process,
			  struct process_paths *paths);

/*
 * The same of the parent without what the kernel module adds, which reads it without system
 * calls: mitosis_process_state_add() in kernel/process_state.h. Not with a seccomp filter.
 */
void describe_process_for_module(struct descriptor_process *process,
				 struct process_paths *paths);

#endif /* LIB_DESCRIBE_PROCESS_H */
