// SPDX-License-Identifier: Apache-2.0
/* A working set of one gibibyte, verified page by page. */
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "tests/targets/target.h"

#define SIZE  (1024 * MIB)
#define WORDS (PAGE / sizeof(uint64_t))

int main(void)
{
	uint64_t *m, page;
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long available_kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lu", &available_kib) == 1)
			break;
	if (f)
		fclose(f);
	if (available_kib >> 20 < 3)
		target_skip("3 GiB of free memory");
	m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CHECK(m != MAP_FAILED);
	for (page = 0; page < SIZE / PAGE; page++) {
		m[page * WORDS] = target_word(1, page);
		m[page * WORDS + WORDS - 1] = target_word(2, page);
	}
	/* A part only: a third copy would not tell more. */
	target_overwrites(m, 64 * MIB);
	target_prepare();

	for (page = 0; page < SIZE / PAGE; page++) {
		CHECK_EQ(m[page * WORDS], target_word(1, page));
		CHECK_EQ(m[page * WORDS + WORDS - 1], target_word(2, page));
		CHECK_EQ(m[page * WORDS + 1], 0);
	}
	return 0;
}
