// SPDX-License-Identifier: Apache-2.0
/*
 * The C library's random numbers from the kernel differ between children, although
 * the parent has drawn some: arc4random() (glibc 2.36), getrandom() (with a state in
 * user space from glibc 2.41 and Linux 6.11 on).
 */
#include <fcntl.h>
#include <sys/random.h>

#include "tests/targets/target.h"

/* Older C libraries lack it. */
extern void arc4random_buf(void *buffer, size_t size) __attribute__((weak));

static char path[4096];

struct numbers {
	uint64_t arc4random[2], getrandom[2];
};

static void draw(struct numbers *n)
{
	arc4random_buf(n->arc4random, sizeof(n->arc4random));
	CHECK_EQ(getrandom(n->getrandom, sizeof(n->getrandom), 0),
		 sizeof(n->getrandom));
}

int main(void)
{
	const char *dir = getenv("MITOSIS_RUNTIME_DIR");
	static struct numbers drawn[64];
	struct numbers own;
	ssize_t size;
	int fd, i, k, count;

	CHECK(dir);
	if (!arc4random_buf)
		target_skip("arc4random() (glibc 2.36)");
	snprintf(path, sizeof(path), "%s/numbers", dir);
	draw(&own);
	target_prepare();

	draw(&own);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, &own, sizeof(own)), sizeof(own));
	size = pread(fd, drawn, sizeof(drawn), 0);
	CHECK(size > 0);
	close(fd);
	count = size / sizeof(own);
	for (i = 0; i < count; i++)
		for (k = 0; k < i; k++) {
			CHECK(memcmp(drawn[i].arc4random, drawn[k].arc4random, 16));
			CHECK(memcmp(drawn[i].getrandom, drawn[k].getrandom, 16));
		}
	target_child_has("arc4random(), getrandom()", "fresh");
	return 0;
}
