/* SPDX-License-Identifier: Apache-2.0 */
/* What every helper program does with its arguments. */
#ifndef HELPERS_COMMAND_LINE_H
#define HELPERS_COMMAND_LINE_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "libmitosis.h"

/* Prints the program's name and a message to standard error, and exits. */
void die(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* Reads a decimal number of an option; exits with 2 if it is not one in range. */
uint64_t parse_number(const char *text, const char *name, uint64_t min,
		      uint64_t max);

/* The index of a text in a NULL-terminated list; exits with 2 if it is not there. */
int parse_choice(const char *text, const char *name, const char *const *choices);

/* As the original's scripts have it. */
#define HANDLER_ID_DEFAULT 73

uint32_t parse_handler_id(const char *text);

/* What --backend names: as libmitosis.h numbers it. */
int parse_backend(const char *text);

/* As --mode has it. */
const char *mode_name(uint32_t mode);

/* How often --map can be given. */
#define OPTION_MAPS_MAX 64

/* What is asked of a child, for a list of getopt_long(). */
#define CHILD_OPTIONS                                                               \
	{ "mode", required_argument, NULL, 'm' },                                   \
		{ "prefetch", required_argument, NULL, 'p' },                       \
		{ "files", required_argument, NULL, 'f' },                          \
		{ "map", required_argument, NULL, 'M' },                            \
		{ "own", required_argument, NULL, 'o' },                            \
	{                                                                           \
		"host-name", required_argument, NULL, 'n'                           \
	}

/*
 * Reads one of these; false: `option` is another. `paths`, of OPTION_MAPS_MAX elements,
 * get what --map names, whose text this changes.
 */
bool parse_child_option(struct mitosis_child_options *options,
			struct mitosis_path *paths, int option, char *text);

/*
 * For an option that getopt_long() returns as 'v', --version; 'h', --help; or
 * an unknown option, for which it exits with 2.
 */
void answer_and_exit(int option, const char *usage) __attribute__((noreturn));

#endif /* HELPERS_COMMAND_LINE_H */
