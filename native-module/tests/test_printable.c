// SPDX-License-Identifier: Apache-2.0
/*
 * What a child reports, and what is wrong with its parent, whose paths are the parent's: on a
 * terminal nothing that it obeys.
 */
#include <string.h>

#include "lib/error.h"
#include "local/printable.h"
#include "tests/harness.h"

static void check(const char *text, const char *expected)
{
	char got[64];
	size_t size = strlen(text);

	memcpy(got, text, size + 1);
	make_printable(got, size);
	if (strcmp(got, expected)) {
		printf("'%s', not '%s'\n", got, expected);
		exit(1);
	}
}

int main(void)
{
	char zero[] = { 'a', '\0', 'b', '\0' };
	int byte;

	CHECK_EQ(fail(-5, "/tmp/%s: no such file", "\x1b[2J\n\x9b"), -5);
	CHECK(!strcmp(mitosis_error(), "/tmp/ [2J ?: no such file"));
	check("ValueError: 7", "ValueError: 7");
	check("Grüße, 世界 \xf0\x9f\x90\x8d", "Grüße, 世界 \xf0\x9f\x90\x8d");
	check("\x1b[2J\x1b]0;title\x07x", " [2J ]0;title x");
	check("a\nb\rc\td\x7f", "a b c d ");
	/* CSI as a C1 control, as one byte and in UTF-8. */
	check("\x9b"
	      "31m",
	      "?31m");
	check("\xc2\x9b"
	      "31m",
	      "??31m");
	/* Right-to-left override, isolate, and a line separator. */
	check("a\xe2\x80\xae"
	      "b",
	      "a???b");
	check("\xe2\x81\xa6\xe2\x80\xa8", "??????");
	/* Too long a form of ESC, a surrogate, and characters that are cut off. */
	check("\xc0\x9b", "??");
	check("\xe0\x80\x9b", "???");
	check("\xed\xa0\x80", "???");
	check("\xf4\x90\x80\x80", "????");
	check("x\xe2\x80", "x??");
	check("\xf0", "?");
	make_printable(zero, 3);
	CHECK(!strcmp(zero, "a b"));
	for (byte = 1; byte < 256; byte++) {
		char one[2] = { byte, '\0' };

		make_printable(one, 1);
		CHECK(one[0] >= ' ' && one[0] < 0x7f);
	}
	return 0;
}
