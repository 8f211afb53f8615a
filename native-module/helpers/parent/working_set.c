// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/parent/working_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helpers/clock.h"

#define SHUFFLE_SEED 0x9e3779b97f4a7c15ull

static uint64_t xorshift(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void shuffle(uint32_t *order, uint32_t count)
{
	uint64_t state = SHUFFLE_SEED;
	uint32_t i;

	for (i = count; i > 1; i--) {
		uint32_t j = xorshift(&state) % i;
		uint32_t page = order[i - 1];

		order[i - 1] = order[j];
		order[j] = page;
	}
}

int working_set_create(struct working_set *set, size_t size, bool random_order)
{
	uint32_t i;

	set->page_size = sysconf(_SC_PAGESIZE);
	set->size = size;
	if (!size || size % set->page_size || size / set->page_size > UINT32_MAX)
		return -EINVAL;
	set->pages = size / set->page_size;
	set->order = malloc(set->pages * sizeof(*set->order));
	if (!set->order)
		return -ENOMEM;
	set->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (set->memory == MAP_FAILED) {
		free(set->order);
		return -errno;
	}
	for (i = 0; i < set->pages; i++)
		set->order[i] = i;
	if (random_order)
		shuffle(set->order, set->pages);
	return 0;
}

void working_set_touch(struct working_set *set, unsigned int percent)
{
	uint32_t count = (uint64_t)set->pages * percent / 100;
	uint32_t i;

	for (i = 0; i < count; i++) {
		volatile uint64_t *word =
			(uint64_t *)(set->memory + set->order[i] * set->page_size);

		*word = *word + 1;
	}
	set->expected++;
}

uint32_t working_set_verify(struct working_set *set, unsigned int percent,
			    bool write, uint64_t *first_ns)
{
	uint32_t count = (uint64_t)set->pages * percent / 100;
	uint32_t wrong = 0;
	uint32_t i;

	*first_ns = now_ns();
	for (i = 0; i < count; i++) {
		volatile uint64_t *word =
			(uint64_t *)(set->memory + set->order[i] * set->page_size);
		uint64_t value = *word;

		wrong += value != set->expected;
		if (write)
			*word = value + 1;
		if (!i)
			*first_ns = now_ns();
	}
	set->expected += write;
	return wrong;
}

void working_set_fill(struct working_set *set, unsigned char byte)
{
	memset(set->memory, byte, set->size);
	memset(&set->expected, byte, sizeof(set->expected));
}
