/* SPDX-License-Identifier: Apache-2.0 */
/* A description that the module takes: of this process and a thread that it does not have. */
#ifndef TESTS_DESCRIPTION_H
#define TESTS_DESCRIPTION_H

#include "proto/descriptor.h"

#define DESCRIPTION_PATH "/proc/self/mem"
#define DESCRIPTION_DATA "in a pipe"

struct description {
	struct descriptor_header header;
	struct descriptor_thread caller;
	struct descriptor_stopped_thread other;
	struct descriptor_fd fd;
	char path[16];
	char data[sizeof(DESCRIPTION_DATA)];
} __attribute__((packed));

struct description description_make(void);

#endif /* TESTS_DESCRIPTION_H */
