// SPDX-License-Identifier: Apache-2.0
/*
 * A program that knows nothing of the library: a thread counts; the first one answers each
 * connection to its port, which it prints, with "COUNT VALUE", where VALUE is what the last line
 * "set VALUE" of a connection said. It waits by epoll, as most servers do. With an argument it keeps
 * memory from what it forks.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static _Atomic unsigned long count;
static char value[64] = "none";

static void *count_on(void *argument)
{
	for (;;) {
		count++;
		usleep(1000);
	}
	return argument;
}

static void answer(int connection)
{
	char text[128];
	ssize_t n = read(connection, text, sizeof(text) - 1);

	if (n > 0) {
		text[n] = '\0';
		sscanf(text, "set %63s", value);
		n = snprintf(text, sizeof(text), "%lu %s\n", count, value);
		if (write(connection, text, n) < 0)
			perror("plain-server");
	}
	close(connection);
}

/* As V8 does with its heap. */
static void keep_memory(void)
{
	size_t size = 4 << 20;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || madvise(memory, size, MADV_DONTFORK))
		exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int events = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };
	pthread_t thread;

	(void)argv;
	if (argc > 1)
		keep_memory();
	if (bind(server, (struct sockaddr *)&address, size) || listen(server, 8) ||
	    getsockname(server, (struct sockaddr *)&address, &size) ||
	    epoll_ctl(events, EPOLL_CTL_ADD, server, &event) ||
	    pthread_create(&thread, NULL, count_on, NULL)) {
		perror("plain-server");
		return 1;
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(events, &event, 1, -1), connection;

		if (n < 0 && errno != EINTR)
			return 1;
		connection = n == 1 ? accept(server, NULL, NULL) : -1;
		if (connection >= 0)
			answer(connection);
	}
}
