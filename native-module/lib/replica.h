/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming the replica of a snapshot of another machine: see local/replica.h. */
#ifndef LIB_REPLICA_H
#define LIB_REPLICA_H

/*
 * Becomes it with the files of mitosis-replica. Returns only -errno, with a message that
 * names `what`.
 */
int replica_become(const char *what);

#endif /* LIB_REPLICA_H */
