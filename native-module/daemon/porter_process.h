/* SPDX-License-Identifier: Apache-2.0 */
/* What runs in the porter: the connection manager, and who may connect. */
#ifndef DAEMON_PORTER_PROCESS_H
#define DAEMON_PORTER_PROCESS_H

#include <stdbool.h>

/* False if this mitosisd was built without the headers of RDMA. */
bool porter_is_built(void);

/*
 * Runs in a process forked for it. Takes grants from `channel`, and ends with that, or
 * when nobody has used it for a while.
 */
void porter_run(int channel) __attribute__((noreturn));

#endif /* DAEMON_PORTER_PROCESS_H */
