// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/printable.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Bytes of the character at `p`, of which there are at most `left`; 0: it is not UTF-8.
 * The smallest code point of each length rules out longer forms of the same one.
 */
static size_t decode(const unsigned char *p, size_t left, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = *p < 0x80 ? 1 : *p < 0xc0 ? 0 : *p < 0xe0 ? 2 : 3, i;

	if (*p >= 0xf0)
		length = *p < 0xf8 ? 4 : 0;
	if (length > left)
		return 0;
	*code = length < 2 ? *p : *p & (0x7fu >> length);
	for (i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	return length && *code >= smallest[length] && *code <= 0x10ffff ? length : 0;
}

/* C1 controls, line separators, and what changes the direction of writing. */
static bool is_obeyed(uint32_t code)
{
	return (code >= 0x80 && code < 0xa0) || code == 0x61c ||
	       (code >= 0x200e && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) ||
	       (code >= 0xd800 && code < 0xe000);
}

void make_printable(char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		uint32_t code = 0;
		size_t n = decode((unsigned char *)text + at, size - at, &code), i;

		if (n == 1 && (code < 0x20 || code == 0x7f))
			text[at] = ' ';
		for (i = 0; n > 1 && is_obeyed(code) && i < n; i++)
			text[at + i] = '?';
		if (!n)
			text[at] = '?';
		at += n ? n : 1;
	}
}
