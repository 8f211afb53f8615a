/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many children this machine has started, from one mitosisd to the next: a child's
 * number is no other one's, though a mitosisd ends when it is idle.
 */
#ifndef DAEMON_COUNT_H
#define DAEMON_COUNT_H

#include "local/registry.h"

/* Goes on where the last mitosisd of the runtime directory has ended. */
void count_load(int dir, struct registry *registry);

/* Keeps the count; as the last step. */
void count_save(int dir, const struct registry *registry);

#endif /* DAEMON_COUNT_H */
