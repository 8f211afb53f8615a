// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/trace.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <time.h>

#include "paging/raw_syscall.h"

/* The longest line; what does not fit is cut off. */
#define LINE_MAX_SIZE 400

struct line {
	size_t size;
	char bytes[LINE_MAX_SIZE];
};

static void add_char(struct line *line, char c)
{
	if (line->size < LINE_MAX_SIZE - 1) /* room for the newline */
		line->bytes[line->size++] = c;
}

static void add_text(struct line *line, const char *text)
{
	while (*text)
		add_char(line, *text++);
}

static void add_number(struct line *line, uint64_t number, unsigned int base,
		       int digits)
{
	char reversed[20];
	int n = 0;

	do {
		reversed[n++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number || n < digits);
	while (n)
		add_char(line, reversed[--n]);
}

void trace_open(struct trace *trace, uint32_t level, const char *path,
		const char *role, uint32_t handler_id)
{
	char file[PATH_MAX];
	const char *name = RUNTIME_TRACE;
	size_t directory = 0, i;

	*trace = (struct trace){ .fd = -1, .role = role, .handler_id = handler_id };
	if (!level)
		return;
	for (i = 0; path[i] && i < sizeof(file) - sizeof(RUNTIME_TRACE); i++) {
		file[i] = path[i];
		if (path[i] == '/')
			directory = i + 1;
	}
	for (i = 0; i < sizeof(RUNTIME_TRACE); i++)
		file[directory + i] = name[i];
	trace->fd = raw_open(
		file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (trace->fd >= 0)
		trace->level = level;
}

void trace_open_by_environment(struct trace *trace, const char *role,
			       uint32_t handler_id)
{
	int level = runtime_trace_level();
	char directory[RUNTIME_PATH_MAX];
	struct sockaddr_un address = { .sun_path = "" };

	if (level > 0 && !runtime_dir_path(directory))
		runtime_dir_address(directory, &address);
	trace_open(trace, level > 0 && *address.sun_path ? level : 0,
		   address.sun_path, role, handler_id);
}

void trace_close(struct trace *trace)
{
	if (trace->level)
		raw_syscall(SYS_close, trace->fd);
	trace->level = 0;
	trace->fd = -1;
}

void trace_write(const struct trace *trace, const char *what,
		 const struct trace_value *values)
{
	struct line line;
	struct timespec now;

	line.size = 0;
	raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	add_number(&line, now.tv_sec, 10, 1);
	add_char(&line, '.');
	add_number(&line, now.tv_nsec / 1000, 10, 6);
	add_char(&line, ' ');
	add_number(&line, raw_syscall(SYS_getpid), 10, 1);
	add_char(&line, ' ');
	add_text(&line, trace->role);
	if (trace->handler_id) {
		add_text(&line, " of handler id ");
		add_number(&line, trace->handler_id, 10, 1);
	}
	add_text(&line, ": ");
	add_text(&line, what);
	for (; values->name; values++) {
		add_char(&line, ' ');
		add_text(&line, values->name);
		add_char(&line, '=');
		if (values->text) {
			add_text(&line, values->text);
		} else if (values->number >> 32) {
			add_text(&line, "0x");
			add_number(&line, values->number, 16, 1);
		} else {
			add_number(&line, values->number, 10, 1);
		}
	}
	line.bytes[line.size++] = '\n';
	raw_syscall(SYS_write, trace->fd, line.bytes, line.size);
}
