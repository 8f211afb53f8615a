/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hears of every process that is forked, after its memory has been copied and
 * before it runs.
 */
#ifndef MITOSIS_BIRTHS_H
#define MITOSIS_BIRTHS_H

struct task_struct;

int mitosis_births_init(void);
void mitosis_births_exit(void);

/* overlay.c: is it what a child has forked? */
void mitosis_overlay_born(struct task_struct *newborn);

#endif /* MITOSIS_BIRTHS_H */
