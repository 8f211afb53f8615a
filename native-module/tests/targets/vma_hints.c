// SPDX-License-Identifier: Apache-2.0
/*
 * Hints by madvise(2) and the growth of a stack hold in a child: huge pages asked for and
 * refused, pages that may be merged, and a stack that mlock(2) has split in two.
 */
#define POPULATED MIB
#include "tests/targets/flagged_memory.h"

#define HUGE (2 * MIB)

/* Uses more of the stack than is mapped. */
static int __attribute__((noinline)) recurse(int depth)
{
	volatile char frame[4 * PAGE];

	frame[0] = depth;
	return depth ? recurse(depth - 1) + frame[0] : 0;
}

static bool hint(char *at, int advice, const char *flag)
{
	bool taken = !madvise(at, HUGE, advice);

	CHECK(!taken || has_flag(at, flag));
	return taken;
}

int main(void)
{
	char *m = mmap(NULL, 5 * HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *huge = m, *small = m + HUGE, *merged = m + 2 * HUGE,
	     *empty = m + 3 * HUGE;
	char on_stack;
	char *stack = (char *)((uintptr_t)&on_stack & ~(PAGE - 1));
	bool taken[4];

	CHECK(m != MAP_FAILED);
	m[PAGE] = small[PAGE] = merged[PAGE] = 'h';
	taken[0] = hint(huge, MADV_HUGEPAGE, "hg");
	taken[1] = hint(small, MADV_NOHUGEPAGE, "nh");
	taken[2] = hint(merged, MADV_MERGEABLE, "mg");
	taken[3] = hint(empty, MADV_NOHUGEPAGE, "nh");
	/* What lies below is no longer called [stack]. */
	CHECK(!mlock(stack, PAGE));
	target_prepare();

	CHECK(m[PAGE] == 'h' && small[PAGE] == 'h' && merged[PAGE] == 'h');
	CHECK(!taken[0] || has_flag(huge, "hg"));
	CHECK(!taken[1] || has_flag(small, "nh"));
	CHECK(!taken[3] || has_flag(empty, "nh"));
	CHECK(!has_flag(m + 4 * HUGE, "hg") && !has_flag(m + 4 * HUGE, "nh"));
	CHECK(recurse(100) > 0);
	target_child_has("hints of madvise (hugepage, nohugepage)", "kept");
	/* KSM takes no memory that a module gives pages to: its children are told. */
	if (taken[2]) {
		bool kept = has_flag(merged, "mg");
		char text[4096];

		if (mitosis_resume_report(NULL, text, sizeof(text)) != -ENOENT)
			CHECK_EQ(!strstr(text, "madvise: memory is not mergeable\n"),
				 kept);
		target_child_has("hint of madvise (mergeable)",
				 kept ? "kept" : "told");
	}
	return 0;
}
