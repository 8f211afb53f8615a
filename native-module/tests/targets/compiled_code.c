// SPDX-License-Identifier: Apache-2.0
/*
 * Machine code in memory that no file has, as just-in-time compilers make it: in memory
 * that may be written, that was made executable before prepare, and that the child makes
 * executable.
 */
#include <sys/mman.h>

#include "tests/targets/target.h"

/* mov eax, 42; ret */
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

static void *compile(int protection)
{
	void *m = mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	memcpy(m, code, sizeof(code));
	return m;
}

static int run(void *m, unsigned char wanted)
{
	CHECK_EQ(((const unsigned char *)m)[1], wanted);
	return ((int (*)(void))m)();
}

int main(void)
{
	unsigned char *writable = compile(PROT_READ | PROT_WRITE | PROT_EXEC);
	unsigned char *fixed = compile(PROT_READ | PROT_WRITE);
	unsigned char *late = compile(PROT_READ | PROT_WRITE);

	CHECK(!mprotect(fixed, PAGE, PROT_READ | PROT_EXEC));
	target_prepare();
	CHECK_EQ(run(writable, 42), 42);
	writable[1] = 43;
	CHECK_EQ(run(writable, 43), 43);
	CHECK_EQ(run(fixed, 42), 42);
	CHECK(!mprotect(late, PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(run(late, 42), 42);
	target_child_has("machine code in anonymous memory", "kept");
	return 0;
}
