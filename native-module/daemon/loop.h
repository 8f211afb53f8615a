/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: watched descriptors, the clock, and waiting for either. */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Passed to every callback; opaque to the loop. */
struct daemon;

/* First member of everything that epoll watches. */
struct event_source {
	void (*ready)(struct daemon *daemon, struct event_source *source);
};

struct loop {
	int epoll;
	int64_t last_event_ms;
	bool stop; /* makes loop_run() return */
};

/* CLOCK_MONOTONIC in ms. */
int64_t monotonic_ms(void);

/* Returns the shorter of two timeouts in ms; -1 is infinite. */
int sooner_ms(int a_ms, int b_ms);

/* Returns 0 or -errno. */
int loop_init(struct loop *loop);

/* Calls `source->ready` whenever `fd` is readable. Returns 0 or -errno. */
int loop_watch(struct loop *loop, int fd, struct event_source *source);

/* Watches a descriptor no longer; it stays open. */
void loop_forget(struct loop *loop, int fd);

/*
 * Closes a watched descriptor. close() alone is not enough: while another
 * process has the same open file, epoll goes on reporting its events.
 */
void loop_close(struct loop *loop, int fd);

/*
 * Runs until `loop->stop`. Before each wait it calls `due`, which handles expired
 * deadlines and returns the ms until the next one (-1: none). Returns 0 or
 * -errno.
 */
int loop_run(struct loop *loop, struct daemon *daemon,
	     int (*due)(struct daemon *daemon));

#endif /* DAEMON_LOOP_H */
