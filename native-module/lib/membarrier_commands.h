/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of membarrier(2) that a process must register for. */
#ifndef LIB_MEMBARRIER_COMMANDS_H
#define LIB_MEMBARRIER_COMMANDS_H

#include <linux/membarrier.h>

/* Since Linux 6.3: MEMBARRIER_CMD_GET_REGISTRATIONS. */
#define MEMBARRIER_GET_REGISTRATIONS (1 << 9)

/* Without the global one, which any process may use. */
static const struct {
	int use, registration;
} membarrier_commands[] = {
	{ MEMBARRIER_CMD_PRIVATE_EXPEDITED,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
	{ MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
	{ MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ },
};

#endif /* LIB_MEMBARRIER_COMMANDS_H */
