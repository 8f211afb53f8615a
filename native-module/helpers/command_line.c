// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/command_line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/mitosis.h"

void die(int status, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

uint32_t parse_handler_id(const char *text)
{
	return parse_number(text, "--handler-id", 0, UINT32_MAX);
}

int parse_backend(const char *text)
{
	static const char *const backends[] = { "auto", "kernel", "user", NULL };

	return parse_choice(text, "--backend", backends);
}

static const char *const modes[] = {
	"lazy", "eager", "cached", "clone", "replica", "auto", NULL,
};

static uint32_t parse_mode(const char *text)
{
	return parse_choice(text, "--mode", modes);
}

const char *mode_name(uint32_t mode)
{
	return modes[mode];
}

static uint32_t parse_prefetch(const char *text)
{
	uint32_t pages =
		parse_number(text, "--prefetch", 1, MITOSIS_PREFETCH_PAGES_MAX);

	if (pages & (pages - 1))
		die(2, "--prefetch must be a power of two, got '%s'", text);
	return pages;
}

static uint32_t parse_files(const char *text)
{
	static const char *const files[] = { "refuse", "share", "private", NULL };

	return parse_choice(text, "--files", files);
}

static uint32_t parse_own(const char *text)
{
	static const char *const names[] = { "network", "tmp", NULL };
	char copy[64], *name, *rest = NULL;
	uint32_t own = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (name = strtok_r(copy, ",", &rest); name;
	     name = strtok_r(NULL, ",", &rest))
		own |= 1u << parse_choice(name, "--own", names);
	if (!own)
		die(2, "--own must be network, tmp or network,tmp, got '%s'", text);
	return own;
}

static void parse_map(struct mitosis_child_options *options,
		      struct mitosis_path *paths, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || options->path_count == OPTION_MAPS_MAX)
		die(2, "--map must be OLD=NEW, at most %d times, got '%s'",
		    OPTION_MAPS_MAX, text);
	*equals = '\0';
	options->paths = paths;
	paths[options->path_count].from = text;
	paths[options->path_count++].to = equals + 1;
}

bool parse_child_option(struct mitosis_child_options *options,
			struct mitosis_path *paths, int option, char *text)
{
	switch (option) {
	case 'm':
		options->mode = parse_mode(text);
		return true;
	case 'p':
		options->prefetch_pages = parse_prefetch(text);
		return true;
	case 'f':
		options->files = parse_files(text);
		return true;
	case 'M':
		parse_map(options, paths, text);
		return true;
	case 'o':
		options->own = parse_own(text);
		return true;
	case 'n':
		options->host_name = text;
		return true;
	default:
		return false;
	}
}
