/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the restorer share: see restore.h. A function of it calls others of its section
 * only.
 */
#ifndef LIB_RESTORER_H
#define LIB_RESTORER_H

#include <stdbool.h>
#include <time.h>

#include "lib/restore_plan.h"
#include "paging/raw_syscall.h"

#define RESTORER __attribute__((section("restorer")))
#define INLINE	 static inline __attribute__((always_inline))

/* A text that lies among the code, which is all that the restorer area has a copy of. */
#define TEXT(literal)                                                               \
	({                                                                          \
		const char *text_;                                                  \
                                                                                    \
		__asm__("lea 1f(%%rip), %0\n\t"                                     \
			"jmp 2f\n"                                                  \
			"1:\t.asciz \"" literal "\"\n"                              \
			"2:"                                                        \
			: "=r"(text_));                                             \
		text_;                                                              \
	})

/* What could not be done to what; no name: NULL or "", no address: 0. */
struct failure {
	bool in_clone; /* whose memory was the parent's from the start */
	const char *deed, *name;
	uint64_t start, end;
	long error; /* -errno */
};

/* Ends the process, with a message on standard error. */
void restorer_give_up(const struct failure *f) __attribute__((noreturn));

INLINE void __attribute__((noreturn)) give_up(const char *deed, long error)
{
	struct failure f;

	f.in_clone = false;
	f.deed = deed;
	f.name = 0;
	f.start = f.end = 0;
	f.error = error;
	restorer_give_up(&f);
}

INLINE void __attribute__((noreturn))
give_up_at(const char *deed, const char *name, uint64_t start, uint64_t end,
	   long error)
{
	struct failure f;

	f.in_clone = false;
	f.deed = deed;
	f.name = name;
	f.start = start;
	f.end = end;
	f.error = error;
	restorer_give_up(&f);
}

/* Notes the time, which stays 0 where a seccomp filter refuses that. */
INLINE void note_time(uint64_t *at_ns)
{
	struct timespec now;

	if (!raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now))
		*at_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* The calling thread becomes the caller of prepare, but for its general registers. */
void restorer_become_caller(struct restore_plan *plan);

/* Unmaps the part of the restorer area that a child does not keep. */
void restorer_unmap_rest(struct restore_plan *plan);

/* Returns from prepare as its caller. */
void restorer_go_on(struct restore_plan *plan) __attribute__((noreturn));

/* Makes all other threads, and goes on as the first one of the process. */
void restorer_go_on_with_threads(struct restore_plan *plan)
	__attribute__((noreturn));

#endif /* LIB_RESTORER_H */
