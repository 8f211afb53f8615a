// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/client_table.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "paging/raw_syscall.h"

struct client *client_table_add(struct client_table *table, int stream,
				enum client_kind kind)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (table->clients[i].stream < 0 && !table->clients[i].left)
			break;
	if (i == CLIENTS_MAX)
		return NULL;
	if (i == table->count)
		table->count++;
	table->clients[i] = (struct client){
		.stream = stream,
		.kind = kind,
		.stderr_fd = -1,
		.pidfd = -1,
	};
	return &table->clients[i];
}

bool client_table_has_any(const struct client_table *table, bool readers_too)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (table->clients[i].left ||
		    (table->clients[i].stream >= 0 &&
		     table->clients[i].kind != CLIENT_REPLICA &&
		     (readers_too || table->clients[i].kind != CLIENT_READER)))
			return true;
	return false;
}

bool client_table_has_left(const struct client_table *table)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (table->clients[i].left)
			return true;
	return false;
}

bool client_table_has_staying(const struct client_table *table)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (table->clients[i].stream >= 0 && table->clients[i].stays)
			return true;
	return false;
}

int client_table_timeout(const struct client_table *table)
{
	int timeout = -1;
	uint32_t i;

	for (i = 0; i < table->count; i++) {
		const struct client *c = &table->clients[i];
		int ms = c->stream < 0 || c->kind != CLIENT_MACHINE
				 ? -1
				 : machine_connection_timeout(&c->machine);

		if (ms >= 0 && (timeout < 0 || ms < timeout))
			timeout = ms;
	}
	return timeout;
}

/*
 * Does not wait for who reads a pipe, which the child can fill: the message is lost then. Before Linux 6.4, where a write
 * to a pipe has no such flag, the child must fill it just behind poll().
 */
static void write_at_once(int fd, const char *message, size_t size)
{
	const struct iovec part = { (void *)message, size };
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	struct stat st;
	long n = -EOPNOTSUPP;

	if (raw_syscall(SYS_fstat, fd, &st))
		return;
	if (!S_ISREG(st.st_mode)) {
		raw_syscall(SYS_poll, &p, 1, 0);
		if (!(p.revents & POLLOUT))
			return;
		n = raw_syscall(SYS_pwritev2, fd, &part, 1, -1l, -1l, RWF_NOWAIT);
	}
	if (n == -EOPNOTSUPP || n == -ENOSYS || n == -EPERM)
		raw_syscall(SYS_write, fd, message, size);
}

void client_report(const struct client *client, const char *message)
{
	size_t size = 0;

	while (message[size])
		size++;
	if (client->stderr_fd >= 0)
		write_at_once(client->stderr_fd, message, size);
}

void client_table_report(const struct client_table *table, const char *message)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		client_report(&table->clients[i], message);
}
