// SPDX-License-Identifier: Apache-2.0
/*
 * What the pager of another machine's snapshot expects to be needed next: an
 * order that it has seen twice, the next range of a sequence, or nothing.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "daemon/read_ahead.h"
#include "tests/harness.h"

#define WINDOW	(256ull << 10)
#define BASE	(1ull << 32)
#define WINDOWS 1000u

static struct read_ahead *r;
static struct segment segment = { BASE, BASE + WINDOWS *WINDOW, BASE };
static const struct address_map map = { .segments = &segment, .count = 1 };

/* What is expected after a window: its number, or -1 if nothing is. */
static int64_t after(uint64_t window)
{
	struct read_range now = { BASE + window * WINDOW, WINDOW }, next = { 0 };

	if (!read_ahead_note(r, &map, now, &next)) {
		CHECK_EQ(next.length, 0);
		return -1;
	}
	CHECK_EQ(next.length, WINDOW);
	return (next.address - BASE) / WINDOW;
}

static void begin(void)
{
	free(r);
	r = calloc(1, sizeof(*r));
	CHECK(r);
}

static void sequences(void)
{
	begin();
	CHECK_EQ(after(3), -1);
	CHECK_EQ(after(4), 5);
	CHECK_EQ(after(5), 6);
	CHECK_EQ(after(9), -1);
	/* Not beyond the segment, and only what is left of it. */
	CHECK_EQ(after(WINDOWS - 2), -1);
	CHECK_EQ(after(WINDOWS - 1), -1);
	segment.end -= WINDOW / 2;
	begin();
	CHECK_EQ(after(WINDOWS - 3), -1);
	{
		struct read_range now = { BASE + (WINDOWS - 2) * WINDOW, WINDOW };
		struct read_range next;

		CHECK(read_ahead_note(r, &map, now, &next));
		CHECK_EQ(next.address, now.address + WINDOW);
		CHECK_EQ(next.length, WINDOW / 2);
	}
	segment.end += WINDOW / 2;
}

/* A permutation without sequences; 7 and WINDOWS are coprime. */
static uint64_t nth(uint64_t n)
{
	return n * 7 % WINDOWS;
}

static void orders(void)
{
	int child;
	uint64_t n;

	begin();
	for (child = 1; child <= 3; child++) {
		read_ahead_restart(r);
		for (n = 0; n + 1 < WINDOWS; n++)
			CHECK_EQ(after(nth(n)),
				 child < 3 ? -1 : (int64_t)nth(n + 1));
		/* The last one is followed by nothing, not by a child's first. */
		CHECK_EQ(after(nth(n)), -1);
	}
	/* A child that leaves the order ends its prediction and sets a new order. */
	read_ahead_restart(r);
	CHECK_EQ(after(nth(0)), nth(1));
	CHECK_EQ(after(nth(500)), nth(501));
	read_ahead_restart(r);
	CHECK_EQ(after(nth(0)), -1);
	CHECK_EQ(after(nth(500)), nth(501));
	read_ahead_restart(r);
	CHECK_EQ(after(nth(0)), nth(500));
}

/* A range of another length is another range. */
static void lengths(void)
{
	const struct read_range first = { BASE, WINDOW };
	const struct read_range second[] = { { BASE + 9 * WINDOW, WINDOW },
					     { BASE + 9 * WINDOW, WINDOW / 4 } };
	struct read_range next;
	int i;

	begin();
	for (i = 0; i < 6; i++) {
		read_ahead_restart(r);
		CHECK(!read_ahead_note(r, &map, first, &next));
		read_ahead_note(r, &map, second[i % 2], &next);
	}
}

int main(void)
{
	sequences();
	orders();
	lengths();
	return 0;
}
