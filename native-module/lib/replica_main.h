/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code of a replica: local/replica.h. It is in the snapshot, which is of another machine; its
 * descriptor says where.
 */
#ifndef LIB_REPLICA_MAIN_H
#define LIB_REPLICA_MAIN_H

#include "local/replica.h"

/*
 * Forks the children that the pager asks for, until that has gone. The process has
 * the snapshot's memory, the state of the thread that prepared, and blocks all signals.
 */
void __attribute__((noreturn)) replica_main(const struct replica_start *start);

#endif /* LIB_REPLICA_MAIN_H */
