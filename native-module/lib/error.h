/* SPDX-License-Identifier: Apache-2.0 */
/* The message of mitosis_error(). */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

/*
 * Keeps a message for this thread and returns `err`, a negative errno. The
 * format has no full stop at its end.
 */
#ifdef __clang_analyzer__
/* Tells the analyzer that -errno, of which `err` is made, is not 0. */
static inline int fail_value(int err)
{
	if (err >= 0)
		__builtin_unreachable();
	return err;
}
void fail_message(const char *format, ...);
#define fail(err, ...) (fail_message(__VA_ARGS__), fail_value(err))
#else
int fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif

/* The reason why no process could be made; for -EAGAIN, also what to do. */
const char *why_no_process(int err);

/* fail() where memory for something cannot be mapped. */
int no_memory(int err, const char *what);

#endif /* LIB_ERROR_H */
