// SPDX-License-Identifier: Apache-2.0
/*
 * A shadow that has no room for another machine's connection forgets the secrets of its
 * session, which came with it: they would be in the clones that it forks.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "local/channel.h"
#include "paging/page_server.h"
#include "tests/harness.h"

#define STACK  (1u << 20)
#define SECRET 0xa7
#define ENOUGH 16 /* bytes of it */

static struct descriptor_header descriptor;
static struct page_source source = { .descriptor = &descriptor };
static int channel;

static void *serve(void *unused)
{
	struct page_server *server = page_server_create(&source, channel, 4096);

	CHECK(server);
	page_server_run(server, -1, 1000);
	return unused;
}

static void send_connection(int to)
{
	struct local_message m = channel_message(LOCAL_SERVE);
	struct local_sealing sealing;
	struct iovec parts[] = {
		{ &m, sizeof(m) },
		{ &sealing, sizeof(sealing) },
	};
	const int any = 0;

	memset(&sealing, SECRET, sizeof(sealing));
	m.flags = LOCAL_MACHINE | LOCAL_SEALED;
	CHECK_EQ(channel_send_fds(to, parts, 2, &any, 1),
		 sizeof(m) + sizeof(sealing));
}

int main(void)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char secret[ENOUGH];
	struct rlimit limit;
	pthread_attr_t attributes;
	pthread_t server;
	int ends[2], fd;

	CHECK(stack != MAP_FAILED);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	channel = ends[0];
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	fd = dup(0);
	limit.rlim_cur = fd;
	close(fd);
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK(!pthread_attr_init(&attributes));
	CHECK(!pthread_attr_setstack(&attributes, stack, STACK));
	send_connection(ends[1]);
	/* It ends when it has taken what was sent. */
	CHECK(!shutdown(ends[1], SHUT_WR));
	CHECK(!pthread_create(&server, &attributes, serve, NULL));
	CHECK(!pthread_join(server, NULL));
	memset(secret, SECRET, sizeof(secret));
	CHECK(!memmem(stack, STACK, secret, sizeof(secret)));
	return 0;
}
