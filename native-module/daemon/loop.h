/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: watched descriptors, the clock, and waiting for either. */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Handed to every callback; the loop itself does not look into it. */
struct daemon;

/* First member of everything that epoll watches. */
struct event_source {
	void (*ready)(struct daemon *daemon, struct event_source *source);
};

struct loop {
	int epoll;
	int64_t last_event_ms;
	bool stop;		/* set it to make loop_run() return */
};

/* CLOCK_MONOTONIC in ms. */
int64_t monotonic_ms(void);

/* Of two waiting times in ms the shorter one; -1 is endless. */
int sooner_ms(int a_ms, int b_ms);

/* Returns 0 or -errno. */
int loop_init(struct loop *loop);

/* Has `source->ready` called when `fd` is readable. Returns 0 or -errno. */
int loop_watch(struct loop *loop, int fd, struct event_source *source);

/*
 * Closes a watched descriptor. close() alone is not enough: while another
 * process has the same open file, epoll goes on reporting its events.
 */
void loop_close(struct loop *loop, int fd);

/*
 * Runs until `loop->stop`. Before each wait it calls `due`, which does what is
 * due and returns after how many ms to call it again at the latest (-1: only
 * after an event). Returns 0 or -errno.
 */
int loop_run(struct loop *loop, struct daemon *daemon,
	     int (*due)(struct daemon *daemon));

#endif /* DAEMON_LOOP_H */
