/* SPDX-License-Identifier: Apache-2.0 */
/* What helper programs share of their arguments, beside local/options.h. */
#ifndef HELPERS_COMMAND_LINE_H
#define HELPERS_COMMAND_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "libmitosis.h"
#include "local/options.h"

/* Prints the program's name and a message to standard error, and exits. */
void die(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* As the original's scripts have it. */
#define HANDLER_ID_DEFAULT 73

uint32_t parse_handler_id(const char *text);

/* What --backend names: as libmitosis.h numbers it. */
int parse_backend(const char *text);

/* As --mode has it. */
const char *mode_name(uint32_t mode);

/* How often --map can be given. */
#define OPTION_MAPS_MAX 64

/* What is asked of a child, for a list of next_option(). */
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

#endif /* HELPERS_COMMAND_LINE_H */
