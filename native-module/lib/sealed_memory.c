// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/sealed_memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "proto/descriptor.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

bool sealed_memory_exists(void)
{
	/* Of nothing. */
	return !syscall(SYS_mseal, 0, 0, 0);
}

bool sealed_memory_is(const char *line)
{
	unsigned long start, end;
	char permissions[5];
	int protection;

	if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) != 3 ||
	    end > USER_MEMORY_END)
		return false;
	protection = (permissions[0] == 'r' ? PROT_READ : 0) |
		     (permissions[1] == 'w' ? PROT_WRITE : 0) |
		     (permissions[2] == 'x' ? PROT_EXEC : 0);
	/* The protection that it has: this changes nothing. */
	return mprotect((void *)start, end - start, protection) && errno == EPERM;
}

int sealed_memory_refuse(const char *line)
{
	const char *name = strpbrk(line, "/[");
	int length = name ? (int)strcspn(name, "\n") : 0;

	return fail(
		-EPERM,
		"this process has memory that is sealed by mseal (%.*s at %.*s), "
		"and cannot become a child; resume from a process without, such "
		"as mitosis-child",
		length ? length : 9, length ? name : "anonymous",
		(int)strcspn(line, " "), line);
}
