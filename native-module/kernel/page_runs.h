/* SPDX-License-Identifier: GPL-2.0 */
/* Which pages of a snapshot's memory are worth copying: holes of sparse memory are not. */
#ifndef MITOSIS_PAGE_RUNS_H
#define MITOSIS_PAGE_RUNS_H

#include <linux/types.h>

struct shadow_pages;

/*
 * Narrows [*start, *end), multiples of the page size, to its first run of pages that may be
 * other than zeros. A run is 64 MiB at most; the next one may begin where it ends. False if
 * there is none. Sleeps.
 */
bool mitosis_pages_next_run(struct shadow_pages *pages, u64 *start, u64 *end);

#endif /* MITOSIS_PAGE_RUNS_H */
