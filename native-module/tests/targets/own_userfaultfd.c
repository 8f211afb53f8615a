// SPDX-License-Identifier: Apache-2.0
/*
 * A child uses userfaultfd itself, as garbage collectors do: for memory that it has mapped.
 * Memory of the snapshot it may watch for writes or not, and that keeps its bytes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

static char *map(void)
{
	char *m = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

static int watch(int uffd, char *memory, uint64_t mode)
{
	struct uffdio_register range = { .range = { (uintptr_t)memory, MIB },
					 .mode = mode };

	return ioctl(uffd, UFFDIO_REGISTER, &range);
}

int main(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_copy copy = { .len = PAGE };
	char *parents = map(), *written = map(), *own, *source;
	int uffd;

	target_needs_user_backend();
	target_fill(parents, MIB, 2);
	target_fill(written, MIB, 3);
	target_overwrites(parents, MIB);
	target_overwrites(written, MIB);
	target_prepare();

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0 && errno == EPERM)
		target_skip("root, for userfaultfd");
	CHECK(uffd >= 0);
	CHECK(!ioctl(uffd, UFFDIO_API, &api));
	own = map();
	source = map();
	target_fill(source, PAGE, 4);
	CHECK(!watch(uffd, own, UFFDIO_REGISTER_MODE_MISSING));
	copy.dst = (uintptr_t)own;
	copy.src = (uintptr_t)source;
	CHECK(!ioctl(uffd, UFFDIO_COPY, &copy));
	CHECK_EQ(target_differs(own, 0, PAGE, 4), -1);
	/* What a page server serves is busy. A clone's memory is all there. */
	if (watch(uffd, parents, UFFDIO_REGISTER_MODE_MISSING))
		CHECK_EQ(errno, EBUSY);
	if (watch(uffd, written, UFFDIO_REGISTER_MODE_WP))
		CHECK(errno == EBUSY || errno == EINVAL);
	CHECK_EQ(target_differs(parents, 0, MIB, 2), -1);
	CHECK_EQ(target_differs(written, 0, MIB, 3), -1);
	return 0;
}
