/* SPDX-License-Identifier: Apache-2.0 */
/* Children of a snapshot of another machine, in mode replica, that do what they are told. */
#ifndef TESTS_REPLICA_CHILD_H
#define TESTS_REPLICA_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "libmitosis.h"
#include "tests/machine.h"

#define MACHINE	    101
#define PAGE	    4096
#define PAGES	    512 /* a child reads the first half, what it forks the second */
#define PATIENCE_MS 20000
/* Of a child: where it reads what to do and answers. */
#define ORDER  77
#define REPORT 78

struct report {
	pid_t pid, forked; /* forked: by the child, after that has ended */
	bool is_right;
	char content;
};

/* A process that stands for a child; its end is the child's. */
struct running {
	pid_t proxy;
	int order, report;
};

extern struct machine machine;	/* the parent's */
extern const char *connects_to; /* at first the machine's address */
extern unsigned char *memory;	/* PAGES pages */

/* Gives this process the memory, and starts the parent's machine. */
void replica_children_begin(void);

/* Prepares this process on the other machine; returns its device. */
struct mitosis *prepare(uint32_t id, char with);

/* A device of this machine, in mode replica. */
struct mitosis *open_here(void);

struct running start(uint32_t id);
/* In any mode. */
struct running start_in(uint32_t id, enum mitosis_resume_mode mode);

/* False if the other end has closed. */
bool report_within(int fd, struct report *r, int ms);

/*
 * Has a child read the first half of the memory and exit, by 'e'; 'f' fork before what reads the
 * second half; 's' end by a signal; 'w' wait for one; 'p' wait without having read.
 */
struct report tell(const struct running *r, char what);

/* By 'f'; waits until what the child has forked has reported. */
struct report tell_all(struct running *r);

int end_of(struct running *r);

pid_t pager(void);

/* Of the pager, or 0. */
pid_t replica(void);
int replica_count(void);

/* Pages that have come from other machines to this one so far. */
uint64_t pages_come(void);

/* Whether the newest pager fills its replica. */
bool fills(void);

/* A child that has read nothing, and keeps its pager and that one's replica. */
struct held {
	struct running running;
	pid_t pid;
};

struct held hold(uint32_t id);
void release(struct held *held);

/* Has a child, and what it forks, read all memory. Returns the pages that came. */
uint64_t read_all(uint32_t id);

/* Drops a snapshot, of which nothing is left on the children's machine. */
void drop(struct mitosis *there, uint32_t id);
void check_nothing_left(void);

#endif /* TESTS_REPLICA_CHILD_H */
