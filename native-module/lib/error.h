/* SPDX-License-Identifier: Apache-2.0 */
/* The message of mitosis_error(). */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

/*
 * Keeps a message for this thread and returns `err`, a negative errno. The
 * format has no full stop at its end.
 */
int fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The reason why no process could be made; for -EAGAIN, also what to do. */
const char *why_no_process(int err);

#endif /* LIB_ERROR_H */
