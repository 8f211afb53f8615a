/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child for tests of faults: mitosis-child resumes a snapshot of this test, checks
 * its memory in two steps, waits for an order between them and sends a reply after
 * each. Every wait has a deadline, after which the test fails.
 */
#ifndef TESTS_FAULT_CHILD_H
#define TESTS_FAULT_CHILD_H

#include "tests/harness.h"

#define SIZE	  (8ul << 20) /* of the memory */
#define PAGE	  4096ul
#define REMOTE_ID "7" /* the machine at remote_address */

/* Files of a child: the test's orders, and the child's replies. */
#define ORDERS_FD  60
#define REPLIES_FD 61

extern unsigned char *memory;
extern int orders, replies;	   /* the test's ends */
extern const char *remote_address; /* NULL: resume locally */
extern const char *resume_mode;	   /* of mitosis-child; "lazy" at first */

/* Maps the memory and makes the key of that name; skips the test without userfaultfd. */
void set_up(const char *key);

/* Gives the memory the values that right() expects. */
void fill_memory(void);

/* Prepares, then overwrites the memory. A child runs `part` and exits with its result. */
struct mitosis *prepare(uint32_t handler_id, int (*part)(void));

/* In a child: whether pages [first, end) of the memory are as at prepare. */
bool right(size_t first, size_t end);

/* In a child: sends a reply. */
void reply(char byte);

/* In a child: replies 'x', which no test expects, and returns 1. */
int wrong(void);

/* In a child: checks half of its pages, replies 'h', waits, checks the rest, 'w'. */
int two_halves(void);

/* Starts mitosis-child, with `output` as its standard error unless -1. */
pid_t start_child(const char *handler_id, int output);

/* Closes the test's ends of the last child. */
void close_child(void);

void order(void);

/* The same to a child that its server's death may have ended already. */
void order_if_alive(void);

/* The next reply of the last child; 0 if it has ended without one. */
char next_reply(void);

/* The wait status of a child. */
int end_of(pid_t pid);

/* Runs mitosis-child: its wait status, and its output to standard error. */
int failed_child(const char *handler_id, char *message, size_t size);

#endif /* TESTS_FAULT_CHILD_H */
