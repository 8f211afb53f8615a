/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a stranger, for a terminal. */
#ifndef LOCAL_PRINTABLE_H
#define LOCAL_PRINTABLE_H

#include <stddef.h>

/*
 * Replaces what a terminal could obey, or what would change the order of a line: control
 * characters by spaces; those of Unicode, and bytes that are not UTF-8, by '?'.
 */
void make_printable(char *text, size_t size);

#endif /* LOCAL_PRINTABLE_H */
