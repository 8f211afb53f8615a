// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/cpu_server.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "paging/raw_message.h"

bool cpu_servers_run(const struct cpu_servers *servers)
{
	uint32_t i;

	for (i = 0; i < servers->count; i++)
		if (servers->servers[i].cpu >= 0)
			return true;
	return false;
}

struct cpu_server *cpu_servers_find(struct cpu_servers *servers, int cpu)
{
	uint32_t i;

	for (i = 0; i < servers->count; i++)
		if (servers->servers[i].cpu == cpu)
			return &servers->servers[i];
	return NULL;
}

struct cpu_server *cpu_servers_add(struct cpu_servers *servers,
				   struct page_source *source, int daemon, int cpu)
{
	struct cpu_server *server = servers->servers;
	int channel[2];
	int pidfd;

	while (server < servers->servers + servers->count && server->cpu >= 0)
		server++;
	if (server == servers->servers + CPU_SERVERS_MAX ||
	    raw_syscall(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			channel))
		return NULL;
	pidfd = source->fork_cpu_server(source, channel[1]);
	raw_close(channel[1]);
	if (pidfd < 0) {
		raw_close(channel[0]);
		return NULL;
	}
	raw_set_deadline(channel[0], PEER_DEADLINE_MS);
	/* The daemon ends a stopped server, for which its children would wait. */
	raw_send_local(daemon, LOCAL_CPU_SERVER, cpu, pidfd);
	*server = (struct cpu_server){ channel[0], pidfd, cpu };
	if (server == servers->servers + servers->count)
		servers->count++;
	return server;
}

void cpu_servers_close(struct cpu_servers *servers)
{
	uint32_t i;

	for (i = 0; i < servers->count; i++)
		if (servers->servers[i].channel >= 0)
			raw_syscall(SYS_shutdown, servers->servers[i].channel,
				    SHUT_WR);
}

bool cpu_server_pass(const struct cpu_server *server, int stream)
{
	return raw_send_local(server->channel, LOCAL_SERVE, server->cpu, stream);
}

void cpu_server_refuse(const struct cpu_server *server,
		       const struct local_message *message)
{
	struct local_message m = *message;

	m.type = LOCAL_REFUSED;
	raw_syscall(SYS_sendto, server->channel, &m, sizeof(m),
		    MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}

void cpu_server_relay(struct cpu_server *server, int daemon)
{
	struct local_message m;
	int passed[PASSED_FDS_MAX];
	long n = raw_receive(server->channel, &m, sizeof(m), MSG_DONTWAIT, passed);

	if (n == -EINTR || n == -EAGAIN)
		return;
	if (n == -EMFILE) {
		cpu_server_refuse(server, &m);
		return;
	}
	if (n == sizeof(m) && m.type == LOCAL_KEEP && passed[0] >= 0) {
		m.cpu = server->cpu;
		if (raw_send_fds(daemon, &m, sizeof(m), passed, 1) != sizeof(m))
			cpu_server_refuse(server, &m);
	}
	raw_close_passed(passed, 0);
	if (n <= 0) {
		raw_close(server->channel);
		server->channel = -1;
	}
}

void cpu_server_remove(struct cpu_server *server)
{
	siginfo_t info;

	raw_syscall(SYS_waitid, P_PIDFD, server->pidfd, &info, WEXITED | __WALL, 0);
	raw_close(server->pidfd);
	raw_close(server->channel);
	*server = (struct cpu_server){ .channel = -1, .pidfd = -1, .cpu = -1 };
}
