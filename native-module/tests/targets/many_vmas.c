// SPDX-License-Identifier: Apache-2.0
/* 10,000 VMAs, one page each, by turns writable, read-only and forbidden. */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define PAGES 10000

int main(void)
{
	static const int protections[] = { PROT_READ | PROT_WRITE, PROT_READ,
					   PROT_NONE };
	char *m = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long i;

	CHECK(m != MAP_FAILED);
	/* Every fifth stays empty. */
	for (i = 0; i < PAGES; i++)
		if (i % 5)
			target_fill(m + i * PAGE, PAGE, i);
	for (i = 0; i < PAGES; i++)
		if (mprotect(m + i * PAGE, PAGE, protections[i % 3]))
			target_skip("10,000 mappings (vm.max_map_count)");
	target_prepare();

	for (i = 0; i < PAGES; i++) {
		char *page = m + i * PAGE;

		if (i % 3 == 2)
			CHECK(!mprotect(page, PAGE, PROT_READ));
		if (i % 5)
			CHECK_EQ(target_differs(page, 0, PAGE, i), -1);
		else
			CHECK_EQ(target_not_zero(page, PAGE), -1);
		if (i % 3 == 0)
			page[1]++;
	}
	CHECK(!mprotect(m, PAGES * PAGE, PROT_READ | PROT_WRITE));
	target_fill(m, PAGES * PAGE, 1);
	CHECK_EQ(target_differs(m, 0, PAGES * PAGE, 1), -1);
	target_child_has("10,000 mappings", "kept");
	return 0;
}
