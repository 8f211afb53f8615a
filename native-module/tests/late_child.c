// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/late_child.h"

#include <pthread.h>
#include <unistd.h>

const char *snapshot = "1";

static void *read_late(void *unused)
{
	return right(LATE, LATE + 1) ? unused : NULL;
}

static bool fork_reader(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(right(LATE, LATE + 1) ? 0 : 1);
	return pid > 0;
}

size_t late_page(unsigned char number)
{
	return LATE + number * 2 * WINDOW;
}

static bool read_numbered(void)
{
	unsigned char number;

	return read(ORDERS_FD, &number, 1) == 1 &&
	       right(late_page(number), late_page(number) + 1);
}

int obey(void)
{
	void *was_right = NULL;
	pthread_t reader;
	char what = 0;

	while (read(ORDERS_FD, &what, 1) == 1) {
		bool done = true;

		if (what == 'l')
			done = !pthread_create(&reader, NULL, read_late, memory);
		else if (what == 'o')
			done = right(0, LATE - WINDOW) &&
			       right(LATE + WINDOW, SIZE / PAGE / 2);
		else if (what == 'm')
			done = right(SIZE / PAGE / 2, SIZE / PAGE);
		else if (what == 'n')
			done = read_numbered();
		else if (what == 'f')
			done = fork_reader();
		else if (what == 'j')
			done = !pthread_join(reader, &was_right) && was_right;
		else
			return 0;
		if (!done)
			return wrong();
		reply(what);
	}
	return 0;
}

struct child start(int output)
{
	pid_t pid = start_child(snapshot, output);

	return (struct child){ pid, orders, replies };
}

void tell(const struct child *c, char what)
{
	CHECK(write(c->orders, &what, 1) == 1);
}

void tell_number(const struct child *c, char number)
{
	tell(c, 'n');
	tell(c, number);
}

void have_done(const struct child *c, char what)
{
	tell(c, what);
	replies = c->replies;
	CHECK_EQ(next_reply(), what);
}

void has_read(const struct child *c)
{
	replies = c->replies;
	CHECK_EQ(next_reply(), 'n');
}

int end(const struct child *c)
{
	int status = end_of(c->pid);

	close(c->orders);
	close(c->replies);
	return status;
}
