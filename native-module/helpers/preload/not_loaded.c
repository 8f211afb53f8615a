// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/preload/not_loaded.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Program headers that are looked at; programs have about a dozen. */
#define HEADERS_MAX 64

static FILE *open_of(const char *pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, name);
	return fopen(path, "re");
}

/* Whether its environment has this variable, "NAME=VALUE". */
static bool has_variable(const char *pid, const char *variable)
{
	FILE *f = open_of(pid, "environ");
	char *entry = NULL;
	size_t room = 0;
	bool found = false;

	while (f && !found && getdelim(&entry, &room, '\0', f) > 0)
		found = !strcmp(entry, variable);
	free(entry);
	if (f)
		fclose(f);
	return found;
}

static bool has_loaded(const char *pid)
{
	FILE *f = open_of(pid, "maps");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (f && !found && getline(&line, &room, f) > 0)
		found = strstr(line, "preload.so") != NULL;
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Whether its program names no loader, which would load what LD_PRELOAD names. */
static bool is_static(const char *pid)
{
	Elf64_Phdr headers[HEADERS_MAX];
	FILE *f = open_of(pid, "exe");
	Elf64_Ehdr elf;
	bool loader = false;
	size_t i, count = 0;

	if (f && fread(&elf, sizeof(elf), 1, f) == 1 &&
	    !memcmp(elf.e_ident, ELFMAG, SELFMAG) &&
	    elf.e_phentsize == sizeof(headers[0]) &&
	    !fseek(f, elf.e_phoff, SEEK_SET))
		count = fread(headers, sizeof(headers[0]),
			      elf.e_phnum < HEADERS_MAX ? elf.e_phnum : HEADERS_MAX,
			      f);
	for (i = 0; i < count; i++)
		loader |= headers[i].p_type == PT_INTERP;
	if (f)
		fclose(f);
	return count && !loader;
}

static void name_of(const char *pid, char *name, size_t size)
{
	FILE *f = open_of(pid, "comm");

	*name = '\0';
	if (f && fgets(name, size, f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void explain(const char *pid, char *text, size_t size)
{
	char name[32];

	name_of(pid, name, sizeof(name));
	if (is_static(pid))
		snprintf(
			text, size,
			"process %s ('%s') was started with this path and is a "
			"static program, which loads no library: build it with a "
			"shared C library; a program in Go with CGO_ENABLED=1 and a "
			"package that uses cgo, such as net",
			pid, name);
	else
		snprintf(text, size,
			 "process %s ('%s') was started with this path and has not "
			 "loaded libmitosis-preload.so: see its standard error; a "
			 "setuid program loads none, nor does LD_PRELOAD with a "
			 "space "
			 "in the path",
			 pid, name);
}

bool explain_not_loaded(const char *socket, char *text, size_t size)
{
	char variable[256];
	struct dirent *entry;
	bool found = false;
	DIR *d = opendir("/proc");

	snprintf(variable, sizeof(variable), "MITOSIS_PRELOAD_SOCKET=%s", socket);
	while (d && !found && (entry = readdir(d))) {
		if (*entry->d_name < '1' || *entry->d_name > '9' ||
		    !has_variable(entry->d_name, variable) ||
		    has_loaded(entry->d_name))
			continue;
		explain(entry->d_name, text, size);
		found = true;
	}
	if (d)
		closedir(d);
	return found;
}
