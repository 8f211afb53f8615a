// SPDX-License-Identifier: Apache-2.0
/* A parent with nearly as many mappings as it may have: a child has them, and room for some more. */
#include <sys/mman.h>

#include "tests/targets/target.h"

/* For the loader, the libraries and the library's own. */
#define LEFT 500

static long limit(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	long count = 0;

	if (!file || fscanf(file, "%ld", &count) != 1)
		target_skip("/proc/sys/vm/max_map_count");
	fclose(file);
	return count;
}

int main(void)
{
	long count = limit(), i;
	char *m;

	target_needs_user_backend();
	if (count < 10 * LEFT || count > 100000)
		target_skip("a vm.max_map_count of 5,000 to 100,000");
	count -= LEFT;
	m = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	for (i = 0; i < count; i += 2) {
		*(long *)(m + i * PAGE) = i + 1;
		CHECK(!mprotect(m + i * PAGE, PAGE, PROT_READ));
	}
	target_prepare();

	for (i = 0; i < count; i += 2) {
		/* A window is fetched by one of its pages. */
		if (i % 512 == 0)
			CHECK_EQ(*(long *)(m + i * PAGE), i + 1);
		CHECK(!mprotect(m + i * PAGE, PAGE, PROT_READ | PROT_WRITE));
	}
	CHECK_EQ(*(long *)(m + 2 * PAGE), 3);
	CHECK_EQ(*(long *)(m + PAGE), 0);
	return 0;
}
