// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word that is longer is no slip of the finger. */
#define NAME_LENGTH_MAX 40

/* So many characters of the longer name may have one that is wrong, missing or too much. */
#define CHARACTERS_PER_SLIP 3

void refuse_command(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see %s --help\n", program_invocation_short_name);
	exit(2);
}

/* Characters to change, insert or leave out, so that one word becomes the other (Levenshtein). */
static size_t distance(const char *one, size_t length, const char *other)
{
	size_t row[NAME_LENGTH_MAX + 1], width = strlen(other), i, j;

	for (j = 0; j <= width; j++)
		row[j] = j;
	for (i = 1; i <= length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= width; j++) {
			bool same = tolower((unsigned char)one[i - 1]) ==
				    tolower((unsigned char)other[j - 1]);
			size_t least = diagonal + !same;

			diagonal = row[j];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
		}
	}
	return row[width];
}

/* The name that may have been meant; NULL: none is near. */
static const char *nearest(const char *word, size_t length,
			   const struct option *names)
{
	const char *found = NULL;
	size_t least = SIZE_MAX;

	for (; length && length <= NAME_LENGTH_MAX && names->name; names++) {
		size_t longer = strlen(names->name), slips, away;

		if (longer > NAME_LENGTH_MAX)
			continue;
		if (longer < length)
			longer = length;
		slips = longer / CHARACTERS_PER_SLIP;
		/* Of one letter nothing is left if it is wrong. */
		if (slips > length - 1)
			slips = length - 1;
		away = distance(word, length, names->name);
		if (away <= slips && away < least) {
			least = away;
			found = names->name;
		}
	}
	return found;
}

/* Refuses an option for which getopt_long() has found no single name. */
static void __attribute__((noreturn))
refuse_option(const char *option, const struct option *names)
{
	const char *word = option + strspn(option, "-");
	size_t length = strcspn(word, "=");
	const struct option *name;
	const char *first = NULL;

	for (name = names; length && option[1] == '-' && name->name; name++) {
		if (strncmp(name->name, word, length))
			continue;
		if (first)
			refuse_command("%s may be --%s or --%s", option, first,
				       name->name);
		first = name->name;
	}
	first = nearest(word, length, names);
	if (first)
		refuse_command("there is no option '%s' (did you mean '--%s'?)",
			       option, first);
	refuse_command("there is no option '%s'", option);
}

int next_option(int argc, char **argv, const struct option *names)
{
	char letter[3] = "-";
	int option;

	opterr = 0;
	option = getopt_long(argc, argv, ":", names, NULL);
	if (option == ':')
		refuse_command("option '%s' needs a value", argv[optind - 1]);
	if (option != '?')
		return option;
	/* It says 0 of a long name that it does not know, and the letter of one that takes no value. */
	if (!optopt)
		refuse_option(argv[optind - 1], names);
	if (!strncmp(argv[optind - 1], "--", 2) && strchr(argv[optind - 1], '='))
		refuse_command("option '%.*s' takes no value, got '%s'",
			       (int)strcspn(argv[optind - 1], "="), argv[optind - 1],
			       argv[optind - 1]);
	/* Of several letters after one dash, it has taken the first only. */
	letter[1] = optopt;
	refuse_option(strcmp(argv[optind - 1], letter) ? argv[optind]
						       : argv[optind - 1],
		      names);
}

void refuse_arguments(int argc, char **argv)
{
	if (optind < argc)
		refuse_command("unexpected argument '%s'", argv[optind]);
}

void answer_and_exit(int option, const char *usage)
{
	if (option == 'v')
		printf("%s " MITOSIS_VERSION "\n", program_invocation_short_name);
	else
		fputs(usage, stdout);
	exit(0);
}

uint64_t parse_number(const char *text, const char *name, uint64_t min, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*text) || value < min ||
	    value > max)
		refuse_command("%s must be between %llu and %llu, got '%s'", name,
			       (unsigned long long)min, (unsigned long long)max,
			       text);
	return value;
}

int parse_choice(const char *text, const char *name, const char *const *choices)
{
	char list[256] = "";
	size_t used = 0;
	int i;

	for (i = 0; choices[i]; i++)
		if (!strcmp(text, choices[i]))
			return i;
	for (i = 0; choices[i] && used < sizeof(list); i++)
		used += snprintf(list + used, sizeof(list) - used, "%s%s",
				 !i		  ? ""
				 : choices[i + 1] ? ", "
						  : " or ",
				 choices[i]);
	refuse_command("%s must be %s, got '%s'", name, list, text);
}
