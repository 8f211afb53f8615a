/* SPDX-License-Identifier: Apache-2.0 */
/* What every helper program does with its arguments. */
#ifndef HELPERS_COMMAND_LINE_H
#define HELPERS_COMMAND_LINE_H

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

/* What --backend, --mode, --prefetch and --files name: as libmitosis.h numbers them. */
int parse_backend(const char *text);
uint32_t parse_mode(const char *text);
uint32_t parse_prefetch(const char *text);
uint32_t parse_files(const char *text);

/* As --mode has it. */
const char *mode_name(uint32_t mode);

/* MITOSIS_OWN_* by their names, with commas between. */
uint32_t parse_own(const char *text);

/* How often --map can be given. */
#define OPTION_MAPS_MAX 64

/* Adds OLD=NEW, which it changes, to `paths`, of OPTION_MAPS_MAX elements, and to the options. */
void parse_map(struct mitosis_child_options *options, struct mitosis_path *paths,
	       char *text);

/*
 * For an option that getopt_long() returns as 'v', --version; 'h', --help; or
 * an unknown option, for which it exits with 2.
 */
void answer_and_exit(int option, const char *usage) __attribute__((noreturn));

#endif /* HELPERS_COMMAND_LINE_H */
