/* SPDX-License-Identifier: Apache-2.0 */
/* Children for tests of a page that comes late: each does what the test tells it, and says that it has done it. */
#ifndef TESTS_LATE_CHILD_H
#define TESTS_LATE_CHILD_H

#include "tests/fault_child.h"

#define LATE   200 /* page of the memory */
#define WINDOW 64  /* pages that are asked for at once, at most */

struct child {
	pid_t pid;
	int orders, replies;
};

extern const char *snapshot; /* the handler id for start(); "1" at first */

/* Of the pages that come late in turn; LATE is number 0. */
size_t late_page(unsigned char number);

/*
 * In a child, as a part of prepare(): 'l' a thread reads the late page; 'j' waits until it has it; 'f' so does a process
 * that it forks; 'o' reads others, of which none is in a window with that page; 'm' more of them; 'n' reads
 * late_page() of the next byte; 'e' ends. Sends the same byte when that is done.
 */
int obey(void);

/* With `output` as its standard error unless -1. */
struct child start(int output);

void tell(const struct child *c, char what);
void tell_number(const struct child *c, char number);

/* Tells it, and waits until it has done it. */
void have_done(const struct child *c, char what);

/* Waits until it has read the page of tell_number(). */
void has_read(const struct child *c);

/* The wait status of a child. */
int end(const struct child *c);

#endif /* TESTS_LATE_CHILD_H */
