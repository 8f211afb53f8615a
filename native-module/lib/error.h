/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence behind mitosis_error(). */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

/*
 * Keeps a sentence for this thread and returns `err`, a negative errno. The
 * format has no full stop at its end.
 */
int fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* LIB_ERROR_H */
