/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The point of no return: code that unmaps this process's memory, maps the
 * parent's and goes on as the parent's child.
 *
 * It runs from a copy of itself in a *restorer area*, the only memory that survives,
 * so it calls nothing and refers to nothing outside its section; restore.o is
 * compiled for that (see the Makefile). All its data is in its plan.
 */
#ifndef LIB_RESTORE_H
#define LIB_RESTORE_H

#include "lib/restore_plan.h"

/* The section that holds restore(); to be copied to the restorer area. */
extern const char __start_restorer[], __stop_restorer[];

/* Does not return. */
void restore(struct restore_plan *plan) __attribute__((noreturn));

#endif /* LIB_RESTORE_H */
