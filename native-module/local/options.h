/* SPDX-License-Identifier: Apache-2.0 */
/* What every program does with its arguments, and says of those that it does not know. */
#ifndef LOCAL_OPTIONS_H
#define LOCAL_OPTIONS_H

#include <getopt.h>
#include <stdint.h>

/* Prints `NAME: MESSAGE; see NAME --help`, one line, to standard error; exits with 2. */
void refuse_command(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/*
 * getopt_long() for options of two dashes. Refuses an option that is not in `names`, with
 * the nearest of them, one without its value, one with a value that it does not take, and
 * an abbreviation of several.
 */
int next_option(int argc, char **argv, const struct option *names);

/* Once next_option() has returned -1, for a program that takes options only. */
void refuse_arguments(int argc, char **argv);

/* For 'v', --version, or 'h', --help: prints the release or the usage to standard output, and exits. */
void answer_and_exit(int option, const char *usage) __attribute__((noreturn));

/* Reads a decimal number of an option; refuses what is not one in range. */
uint64_t parse_number(const char *text, const char *name, uint64_t min,
		      uint64_t max);

/* The index of a text in a NULL-terminated list; refuses what is not there. */
int parse_choice(const char *text, const char *name, const char *const *choices);

#endif /* LOCAL_OPTIONS_H */
