// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/thread_status.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/cursor.h"
#include "paging/raw_syscall.h"
#include "proto/descriptor.h"

/*
 * Reads as much as fits of what /proc has of a thread, of the caller if `listed` is 0; "" if
 * there is none.
 */
static void read_file(int32_t listed, const char *name, char *text, size_t size)
{
	char path[PROC_NAME_SIZE + 8] = "/proc/thread-self";
	long fd, n = 0;

	if (listed)
		name_file(path, "/proc/self/task/", listed);
	strcat(path, name);
	fd = raw_open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = raw_syscall(SYS_read, fd, text, size - 1);
		raw_syscall(SYS_close, fd);
	}
	text[n > 0 ? n : 0] = '\0';
}

char thread_state_of(int32_t listed)
{
	char text[512], *name_end;

	read_file(listed, "/stat", text, sizeof(text));
	name_end = strrchr(text, ')');
	return name_end && name_end[1] == ' ' ? name_end[2] : 0;
}

/* What follows a key of the status, and a tab; NULL: it is not there. */
static const char *find(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : NULL;
}

/* The number behind a key of the status and a tab; 0: it is not there. */
static uint64_t number_of(int32_t listed, const char *key, unsigned int base)
{
	struct cursor c = { 0 };
	char text[4096];

	read_file(listed, "/status", text, sizeof(text));
	c.at = find(text, key);
	return c.at ? take_number(&c, base) : 0;
}

bool thread_signals_are_queued(void)
{
	char text[4096];
	const char *count;

	read_file(0, "/status", text, sizeof(text));
	count = find(text, "\nSigQ:\t");
	return !count || strncmp(count, "0/", 2);
}

/* The last one of a line: the kernel lists them from the PID namespace of /proc to that of the thread. */
int32_t thread_own_id(int32_t listed)
{
	struct cursor c = { 0 };
	int32_t id = 0;
	char text[4096];

	read_file(listed, "/status", text, sizeof(text));
	c.at = find(text, "\nNSpid:");
	while (c.at && *c.at == '\t') {
		c.at++;
		id = take_number(&c, 10);
	}
	return id;
}

bool thread_blocks(int32_t listed, uint64_t signals)
{
	return number_of(listed, "\nSigBlk:\t", 16) & signals;
}

int32_t thread_filters(int32_t listed)
{
	return number_of(listed, "\nSeccomp_filters:\t", 10);
}

void thread_name(int32_t listed, char *name)
{
	read_file(listed, "/comm", name, DESCRIPTOR_NAME_SIZE);
	name[strcspn(name, "\n")] = '\0';
}

void thread_status_word(int32_t listed, const char *key, char *word, size_t size)
{
	char path[64], line[256];
	FILE *f;

	snprintf(word, size, "unknown");
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", listed);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(word, size, "%s",
			 line + strlen(key) + strspn(line + strlen(key), "\t "));
		break;
	}
	if (f)
		fclose(f);
}
