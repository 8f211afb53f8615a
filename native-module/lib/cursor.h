/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the text of /proc, in shadows too: no libc, no globals. */
#ifndef LIB_CURSOR_H
#define LIB_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#define PROC_NAME_SIZE 64u

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

static inline bool is_text(const char *text, const char *other)
{
	while (*text && *text == *other) {
		text++;
		other++;
	}
	return *text == *other;
}

/* Writes "DIRECTORY/NUMBER". */
static inline void name_file(char name[PROC_NAME_SIZE], const char *directory,
			     uint32_t number)
{
	char digits[16];
	uint32_t at = 0, n = 0;

	while (*directory)
		name[at++] = *directory++;
	do
		digits[n++] = '0' + number % 10;
	while (number /= 10);
	while (n)
		name[at++] = digits[--n];
	name[at] = '\0';
}

#endif /* LIB_CURSOR_H */
