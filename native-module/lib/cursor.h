/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the text of /proc, in shadows too: no libc, no globals. */
#ifndef LIB_CURSOR_H
#define LIB_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

struct cursor {
	const char *at;
};

/* A number without a sign, of base 10 or 16; 0 if there is none. */
static inline uint64_t take_number(struct cursor *c, unsigned int base)
{
	uint64_t value = 0;

	for (;; c->at++) {
		unsigned int digit;

		if (*c->at >= '0' && *c->at <= '9')
			digit = *c->at - '0';
		else if (base == 16 && *c->at >= 'a' && *c->at <= 'f')
			digit = *c->at - 'a' + 10;
		else
			return value;
		value = value * base + digit;
	}
}

static inline void skip(struct cursor *c, char character)
{
	while (*c->at == character)
		c->at++;
}

static inline bool starts_with(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return false;
	return true;
}

#endif /* LIB_CURSOR_H */
