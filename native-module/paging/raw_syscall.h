/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls without the C library, for code that runs in a shadow.
 *
 * A shadow serves the memory it lives in, so it must not write to it: a libc
 * wrapper would store errno in the snapshot's thread-local storage. Each call
 * returns what the kernel returns: a result, or -errno.
 */
#ifndef PAGING_RAW_SYSCALL_H
#define PAGING_RAW_SYSCALL_H

#include <fcntl.h>
#include <sys/syscall.h>

static inline long raw_syscall6(long number, long a, long b, long c, long d, long e,
				long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define RAW_PICK(_1, _2, _3, _4, _5, _6, _7, name, ...) name
#define RAW_0(n)					raw_syscall6(n, 0, 0, 0, 0, 0, 0)
#define RAW_1(n, a)					raw_syscall6(n, (long)(a), 0, 0, 0, 0, 0)
#define RAW_2(n, a, b)					raw_syscall6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW_3(n, a, b, c)				raw_syscall6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW_4(n, a, b, c, d)                                                        \
	raw_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW_5(n, a, b, c, d, e)                                                     \
	raw_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define RAW_6(n, a, b, c, d, e, f)                                                  \
	raw_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e),      \
		     (long)(f))

/* raw_syscall(number, up to six arguments of any scalar type) */
#ifdef __clang_analyzer__
/* The analyzer does not see that the assembler code fills what pointers refer to. */
long raw_syscall(long number, ...);
#else
#define raw_syscall(...)                                                            \
	RAW_PICK(__VA_ARGS__, RAW_6, RAW_5, RAW_4, RAW_3, RAW_2, RAW_1, RAW_0)      \
	(__VA_ARGS__)
#endif

/*
 * Where a shadow asks for memory of its own: below where Linux maps anything by itself, and each
 * user of it elsewhere. In a hole of its parent's memory it would appear in clones, where the parent has
 * MADV_DONTFORK, say.
 */
enum raw_map {
	RAW_MAP_DESCRIPTOR,
	RAW_MAP_OPEN_FILES,
	RAW_MAP_MAPPED_FILE,
	RAW_MAP_PROCESS,
	RAW_MAP_SHARED_COPIES,
	RAW_MAP_VMA_FLAGS,
	RAW_MAP_ADDRESS_MAP,
	RAW_MAP_SEALING,
	RAW_MAP_PAGE_SERVER,
	RAW_MAP_RECORDING,
	RAW_MAP_REPLICA,
	RAW_MAP_CLONE,
	RAW_MAP_LATE,
};

#define RAW_MAP_HINT(user) (0x0e0000000000ul + ((user) * (64ul << 30)))

/* open(2) by the call that seccomp filters of programs with a libc permit. */
#define raw_open(path, ...) raw_syscall(SYS_openat, AT_FDCWD, path, __VA_ARGS__)

#endif /* PAGING_RAW_SYSCALL_H */
