/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the self-checking targets share. A target sets its state up, calls
 * target_prepare(), and checks itself: the call returns in children only.
 * Exit 0: as it should be; 1: not, and the last line says where; 77: this
 * machine lacks what the last line names.
 */
#ifndef TARGETS_TARGET_H
#define TARGETS_TARGET_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libmitosis.h"

#define PAGE 4096ul
#define MIB  (1ul << 20)

#define CHECK(condition)                                                            \
	do {                                                                        \
		if (!(condition)) {                                                 \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
			fflush(stdout);                                             \
			_exit(1);                                                   \
		}                                                                   \
	} while (0)

/* Like CHECK(a == b), and says what the two are. */
#define CHECK_EQ(a, b)                                                              \
	do {                                                                        \
		long long a_ = (long long)(a), b_ = (long long)(b);                 \
                                                                                    \
		if (a_ != b_) {                                                     \
			printf("%s:%d: %s is %lld, not %s = %lld\n", __FILE__,      \
			       __LINE__, #a, a_, #b, b_);                           \
			fflush(stdout);                                             \
			_exit(1);                                                   \
		}                                                                   \
	} while (0)

static struct {
	char *start;
	size_t size;
} target_memory[16];
static unsigned int target_memory_count;
/* What the parent does to its other state after its prepare; or NULL. */
static void (*target_spoils)(void);

static inline void __attribute__((noreturn)) target_skip(const char *requirement)
{
	printf("%s\n", requirement);
	exit(77);
}

/*
 * Says in a child what it has of its parent: "kept", "fresh", "shared", "told" or "none". These
 * are the cells of docs/children.md; tests/run-targets compares them.
 */
static inline void target_child_has(const char *thing, const char *word)
{
	printf("child has: %s: %s\n", thing, word);
	fflush(stdout);
}

/*
 * Before prepare: a resume may fail with a message that has this text. Then the runner
 * says of the children that they were refused.
 */
static inline void target_may_be_refused(const char *thing, const char *text)
{
	printf("may be refused: %s: %s\n", thing, text);
}

/* Memory that the parent overwrites after its prepare. */
static inline void target_overwrites(void *start, size_t size)
{
	CHECK(target_memory_count < 16);
	target_memory[target_memory_count].start = start;
	target_memory[target_memory_count++].size = size;
}

/* What the parent's memory holds after its prepare. */
#define TARGET_OVERWRITTEN ((char)0xa5)

/* Offset of the first byte that the parent has not overwritten, or -1. */
static inline long target_other_byte(const char *memory, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (memory[i] != TARGET_OVERWRITTEN)
			return i;
	return -1;
}

/* The parent's part after prepare: spoil, tell the runner, stay, go. */
static inline void __attribute__((noreturn))
target_be_parent(struct mitosis *device, uint32_t handler_id, bool pinned)
{
	unsigned int i;
	char byte;

	for (i = 0; i < target_memory_count; i++)
		memset(target_memory[i].start, TARGET_OVERWRITTEN,
		       target_memory[i].size);
	if (target_spoils)
		target_spoils();
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	/* Nothing that a child has written is here. */
	for (i = 0; i < target_memory_count; i++)
		CHECK_EQ(target_other_byte(target_memory[i].start,
					   target_memory[i].size),
			 -1);
	if (pinned)
		CHECK_EQ(mitosis_unprepare(device, handler_id), 0);
	mitosis_close(device);
	_exit(0);
}

/* The backend that the runner has chosen: MITOSIS_TEST_BACKEND, else user. */
static inline int target_backend(void)
{
	const char *name = getenv("MITOSIS_TEST_BACKEND");

	return name && !strcmp(name, "kernel") ? MITOSIS_BACKEND_KERNEL
					       : MITOSIS_BACKEND_USER;
}

/* Whether children are the kernel module's. */
static inline bool target_child_is_modules(void)
{
	const char *name = getenv("MITOSIS_TEST_CHILD_BACKEND");

	return name && !strcmp(name, "kernel");
}

static inline bool target_child_is_clone(void)
{
	const char *mode = getenv("MITOSIS_TEST_MODE");

	return mode && !strcmp(mode, "clone");
}

/* Skips the target unless both machines have the user backend. */
static inline void target_needs_user_backend(void)
{
	if (target_backend() == MITOSIS_BACKEND_KERNEL || target_child_is_modules())
		target_skip("the user backend, which passes this on");
}

/* With an id of its own choice; returns in children only. */
static inline void target_prepare_as(uint32_t handler_id)
{
	bool pinned = getenv("MITOSIS_TEST_PINNED") != NULL;
	struct mitosis *device;
	int err;

	fflush(stdout);
	err = mitosis_open(target_backend(), &device);
	if (!err)
		err = pinned ? mitosis_prepare_pinned(device, handler_id)
			     : mitosis_prepare(device, handler_id);
	if (err) {
		printf("prepare: %s\n", mitosis_error());
		exit(1);
	}
	/* A child on another machine may have its parent's pid. */
	if (!mitosis_nil(device))
		target_be_parent(device, handler_id, pinned);
	CHECK_EQ(mitosis_nil(device), -EBADF);
	mitosis_close(device);
}

/* The id that the runner has chosen. */
static inline uint32_t target_id(void)
{
	const char *id = getenv("MITOSIS_TEST_ID");

	if (!id) {
		puts("MITOSIS_TEST_ID is not set; tests/run-targets does");
		exit(1);
	}
	return strtoul(id, NULL, 10);
}

static inline void target_prepare(void)
{
	target_prepare_as(target_id());
}

/* A pattern that differs from page to page and from word to word. */
static inline uint64_t target_word(uint64_t seed, uint64_t index)
{
	return (seed << 48) ^ (index * 0x9e3779b97f4a7c15ull) ^ 0x5a;
}

static inline void target_fill(void *memory, size_t size, uint64_t seed)
{
	uint64_t *word = memory;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		word[i] = target_word(seed, i);
}

/* Index of the first word from `offset` on that is not as filled, or -1. */
static inline long target_differs(const void *memory, size_t offset, size_t size,
				  uint64_t seed)
{
	const uint64_t *word = memory;
	size_t i;

	for (i = offset / sizeof(*word); i < (offset + size) / sizeof(*word); i++)
		if (word[i] != target_word(seed, i))
			return i;
	return -1;
}

/* Offset of the first byte that is not zero, or -1. */
static inline long target_not_zero(const void *memory, size_t size)
{
	const char *byte = memory;
	size_t i;

	for (i = 0; i < size; i++)
		if (byte[i])
			return i;
	return -1;
}

/* Whether a line of a child's report begins so. */
static inline bool target_report_has(const char *text)
{
	char report[8192], *at;

	if (mitosis_resume_report(NULL, report, sizeof(report)) <= 0)
		return false;
	for (at = report; (at = strstr(at, text)); at++)
		if (at == report || at[-1] == '\n')
			return true;
	return false;
}

/* Whether a child can ask what differs in an open file of its. */
static inline bool target_is_told(int fd, const char *difference)
{
	char line[256];

	snprintf(line, sizeof(line), "open file %d: %s\n", fd, difference);
	return target_report_has(line);
}

/* The status of a process of ours that is to exit with 0. */
#define CHECK_ENDS_WELL(pid)                                                        \
	do {                                                                        \
		int status_ = -1;                                                   \
                                                                                    \
		CHECK_EQ(waitpid(pid, &status_, 0), pid);                           \
		CHECK_EQ(status_, 0);                                               \
	} while (0)

#endif /* TARGETS_TARGET_H */
