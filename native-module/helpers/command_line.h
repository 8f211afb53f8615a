/* SPDX-License-Identifier: Apache-2.0 */
/* What every helper program does with bad arguments. */
#ifndef HELPERS_COMMAND_LINE_H
#define HELPERS_COMMAND_LINE_H

#include <stdint.h>

/* Prints the program's name and a sentence to standard error, and exits. */
void die(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* Reads a decimal number of an option; exits with 2 if it is none in range. */
uint64_t parse_number(const char *text, const char *name, uint64_t min,
		      uint64_t max);

#endif /* HELPERS_COMMAND_LINE_H */
