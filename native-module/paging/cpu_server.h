/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-CPU page servers: processes that serve the same snapshot, each on a CPU of
 * its own. Children that wait for a server on another CPU, or for one that
 * serves others, start several times slower. Runs in shadows: no libc, no
 * globals.
 */
#ifndef PAGING_CPU_SERVER_H
#define PAGING_CPU_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/page_source.h"

/* The most per-CPU servers of one snapshot. */
#define CPU_SERVERS_MAX 64

struct cpu_server {
	int channel; /* to it: LOCAL_SERVE there, LOCAL_KEEP back */
	int pidfd;
	int cpu; /* -1: free */
};

/* Begins as zeros. */
struct cpu_servers {
	uint32_t count; /* `servers` is filled up to here, with free ones between */
	struct cpu_server servers[CPU_SERVERS_MAX];
};

/* True while one runs. */
bool cpu_servers_run(const struct cpu_servers *servers);

/* The server on a CPU, or NULL. */
struct cpu_server *cpu_servers_find(struct cpu_servers *servers, int cpu);

/*
 * Forks a server for a CPU, and tells mitosisd over `daemon`. Returns NULL
 * without room or a process.
 */
struct cpu_server *cpu_servers_add(struct cpu_servers *servers,
				   struct page_source *source, int daemon, int cpu);

/* Tells all of them that no further client comes. */
void cpu_servers_close(struct cpu_servers *servers);

/* Passes a client's stream on. False if the server does not take it. */
bool cpu_server_pass(const struct cpu_server *server, int stream);

/* Its channel is ready: passes to mitosisd what its children have forked. */
void cpu_server_relay(struct cpu_server *server, int daemon);

/* Passes LOCAL_REFUSED on to the sender of a LOCAL_KEEP. */
void cpu_server_refuse(const struct cpu_server *server,
		       const struct local_message *message);

/* Frees one that has ended. */
void cpu_server_remove(struct cpu_server *server);

#endif /* PAGING_CPU_SERVER_H */
