/* SPDX-License-Identifier: GPL-2.0 */
/* What fork passes on of the calling process beside its memory, its threads and its rights. */
#ifndef MITOSIS_PROCESS_STATE_H
#define MITOSIS_PROCESS_STATE_H

struct descriptor_process;

/*
 * Adds what the process has not told of itself and is read here at no cost: limits,
 * scheduling, OOM score, core dump filter, umask, timer slack, personality, auxiliary
 * vector, and FRESH_* but for pending signals, of which it alone knows which it has blocked, and for threads' rights and
 * scheduling, which each reads for itself.
 */
void mitosis_process_state_add(struct descriptor_process *state);

#endif /* MITOSIS_PROCESS_STATE_H */
