// SPDX-License-Identifier: Apache-2.0
/*
 * Hooks run in children, before prepare returns, in the order of their registration,
 * with a seed that no other hook and no other child gets, and a number that no other
 * child of the machine gets.
 */
#include <fcntl.h>

#include "tests/targets/target.h"

#define HOOKS MITOSIS_RESUME_HOOKS_MAX

static struct {
	int number; /* of the call; from 1 on */
	struct mitosis_child child;
} calls[HOOKS];
static int called;
static char seeds_path[4096], numbers_path[4096];
static double precise = 0.125;

static void hook(const struct mitosis_child *child, void *argument)
{
	int i = (int)(intptr_t)argument;

	/* Its stack is aligned: the compiler moves this by aligned instructions. */
	__attribute__((aligned(16))) char local[64];

	CHECK_EQ((uintptr_t)local % 16, 0);
	calls[i].number = ++called;
	calls[i].child = *child;
	precise *= 2;
}

/* Seeds of all children so far; they differ. */
static void check_seeds(void)
{
	static uint8_t seeds[4096][MITOSIS_SEED_SIZE];
	int fd = open(seeds_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ssize_t size;
	int i, k, count;

	CHECK(fd >= 0);
	for (i = 0; i < HOOKS; i++)
		CHECK_EQ(write(fd, calls[i].child.seed, MITOSIS_SEED_SIZE),
			 MITOSIS_SEED_SIZE);
	size = pread(fd, seeds, sizeof(seeds), 0);
	CHECK(size >= HOOKS * MITOSIS_SEED_SIZE && size % MITOSIS_SEED_SIZE == 0);
	close(fd);
	count = size / MITOSIS_SEED_SIZE;
	for (i = 0; i < count; i++)
		for (k = 0; k < i; k++)
			CHECK(memcmp(seeds[i], seeds[k], MITOSIS_SEED_SIZE));
}

/* Those of all children so far; a mode has one machine that starts them. */
static void check_numbers(void)
{
	static uint64_t numbers[256];
	int fd = open(numbers_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ssize_t size;
	int i, k, count;

	CHECK(calls[0].child.number > 0);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, &calls[0].child.number, sizeof(*numbers)),
		 sizeof(*numbers));
	size = pread(fd, numbers, sizeof(numbers), 0);
	CHECK(size >= (ssize_t)sizeof(*numbers));
	close(fd);
	count = size / sizeof(*numbers);
	for (i = 0; i < count; i++)
		for (k = 0; k < i; k++)
			CHECK(numbers[i] != numbers[k]);
}

int main(void)
{
	const char *dir = getenv("MITOSIS_RUNTIME_DIR");
	int i;

	CHECK(dir);
	snprintf(seeds_path, sizeof(seeds_path), "%s/seeds", dir);
	snprintf(numbers_path, sizeof(numbers_path), "%s/numbers", dir);
	CHECK_EQ(mitosis_on_resume(NULL, NULL), -EINVAL);
	for (i = 0; i < HOOKS; i++)
		CHECK_EQ(mitosis_on_resume(hook, (void *)(intptr_t)i), 0);
	CHECK_EQ(mitosis_on_resume(hook, NULL), -ENOSPC);
	CHECK(strstr(mitosis_error(), "16 hooks"));
	CHECK_EQ(called, 0);
	target_overwrites(&called, sizeof(called));
	target_prepare();

	CHECK_EQ(called, HOOKS);
	for (i = 0; i < HOOKS; i++) {
		CHECK_EQ(calls[i].number, i + 1);
		CHECK_EQ(calls[i].child.handler_id, target_id());
		CHECK_EQ(calls[i].child.size, sizeof(struct mitosis_child));
		CHECK_EQ(calls[i].child.number, calls[0].child.number);
		CHECK_EQ(calls[i].child.machine_id, calls[0].child.machine_id);
		CHECK_EQ(calls[i].child.reserved, 0);
	}
	CHECK(precise == 0.125 * (1 << HOOKS));
	check_seeds();
	check_numbers();
	target_child_has("seeds of mitosis_on_resume()", "fresh");
	return 0;
}
