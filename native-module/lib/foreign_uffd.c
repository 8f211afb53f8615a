// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/foreign_uffd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>

#include "lib/cursor.h"
#include "lib/pagemap.h"
#include "lib/parent_file.h"
#include "paging/raw_syscall.h"

#define TEXT_SIZE 256u
/* Longer than any line but those with a long path, whose end is not needed. */
#define LINE_SIZE   512u
#define READ_WINDOW (8u << 10)

static const char api_line[] = "\nAPI:\t";

bool foreign_uffd_is_deaf(uint32_t number)
{
	char name[PROC_NAME_SIZE], text[TEXT_SIZE];
	struct cursor c = { .at = text };
	long fd, n;

	name_file(name, "/proc/self/fdinfo/", number);
	fd = raw_open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? fd : raw_syscall(SYS_read, fd, text, sizeof(text) - 1);
	if (fd >= 0)
		raw_syscall(SYS_close, fd);
	if (n < 0)
		return true;
	text[n] = '\0';
	while (*c.at && !starts_with(c.at, api_line))
		c.at++;
	if (!*c.at)
		return true;
	/* "API:", its number, the features in use, those that there are; all of base 16. */
	c.at += sizeof(api_line) - 1;
	take_number(&c, 16);
	skip(&c, ':');
	return !(take_number(&c, 16) & UFFD_FEATURE_EVENT_FORK);
}

/* Of the two letters and a space for each flag: um and ui (missing, minor). */
static bool is_served(const char *flags)
{
	for (; flags[0] && flags[1]; flags++)
		if (flags[0] == 'u' && (flags[1] == 'm' || flags[1] == 'i'))
			return true;
	return false;
}

/* Pages that are there are what the fork has copied. */
static bool is_all_there(long pagemap, uint64_t start, uint64_t end,
			 uint64_t page_size)
{
	uint64_t first = start, last = end;

	return pagemap >= 0 &&
	       !pagemap_next_present(pagemap, &first, &last, page_size) &&
	       first == start && last == end;
}

struct search {
	long pagemap;
	uint64_t page_size, start, end; /* of the last VMA */
};

static bool is_wrong(struct search *s, const char *line)
{
	static const char flags[] = "VmFlags:";
	struct cursor c = { .at = line };
	uint64_t start = take_number(&c, 16);

	if (c.at > line && *c.at == '-') {
		c.at++;
		s->start = start;
		s->end = take_number(&c, 16);
		return false;
	}
	return starts_with(line, flags) && is_served(line + sizeof(flags) - 1) &&
	       !is_all_there(s->pagemap, s->start, s->end, s->page_size);
}

int foreign_uffd_find(uint64_t page_size, uint64_t *start)
{
	struct search s = { .page_size = page_size };
	char window[READ_WINDOW], line[LINE_SIZE] = "";
	long fd = parent_file_open("/smaps"), n = fd, i;
	uint32_t length = 0;
	bool wrong = false;

	if (fd < 0)
		return fd;
	s.pagemap = parent_file_open("/pagemap");
	while (!wrong &&
	       (n = raw_syscall(SYS_read, fd, window, sizeof(window))) > 0) {
		for (i = 0; i < n && !wrong; i++) {
			if (window[i] == '\n') {
				line[length] = '\0';
				wrong = is_wrong(&s, line);
				length = 0;
			} else if (length < sizeof(line) - 1) {
				line[length++] = window[i];
			}
		}
	}
	raw_syscall(SYS_close, fd);
	if (s.pagemap >= 0)
		raw_syscall(SYS_close, s.pagemap);
	*start = s.start;
	return wrong ? -EOPNOTSUPP : n < 0 ? n : 0;
}
