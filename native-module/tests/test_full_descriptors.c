// SPDX-License-Identifier: Apache-2.0
/*
 * mitosisd has as many open files as it may have: connections wait without making it
 * spin, and are served once there is room.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "local/channel.h"
#include "local/runtime_dir.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define MACHINE	    7
#define CONNECTIONS 32 /* more than the daemon has gaps between its descriptors */
#define WAIT_MS	    1000
/* A daemon that spins has all of a CPU, or its share of one. */
#define SPIN_MS	    (WAIT_MS / 10)
#define PATIENCE_MS 10000

/* The time that a process has run on CPUs, ms. */
static long cpu_ms(pid_t pid)
{
	unsigned long user, system;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	CHECK(f);
	CHECK_EQ(fscanf(f,
			"%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			"%lu %lu",
			&user, &system),
		 2);
	fclose(f);
	return (user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

static int dial_local(const struct machine *machine)
{
	struct local_message hello = channel_message(LOCAL_HELLO);
	int fd = dial_daemon(machine->dir);

	CHECK_EQ(channel_send(fd, &hello, -1), 0);
	CHECK_EQ(channel_set_deadline(fd, PATIENCE_MS), 0);
	return fd;
}

static int dial_wire(const struct machine *machine)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(machine->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static void set_limit(const struct machine *machine, rlim_t files)
{
	struct rlimit limit;

	CHECK(!prlimit(machine->pid, RLIMIT_NOFILE, NULL, &limit));
	limit.rlim_cur = files ? files : limit.rlim_max;
	CHECK(!prlimit(machine->pid, RLIMIT_NOFILE, &limit, NULL));
}

static void check_that_it_waits(const struct machine *machine)
{
	long before_ms = cpu_ms(machine->pid);

	sleep_ms(WAIT_MS);
	CHECK(cpu_ms(machine->pid) - before_ms <= SPIN_MS);
}

static void local_connections(const struct machine *machine)
{
	int fds[CONNECTIONS], registry, i;
	struct local_message answer;

	set_limit(machine, fd_count(machine->pid));
	for (i = 0; i < CONNECTIONS; i++)
		fds[i] = dial_local(machine);
	check_that_it_waits(machine);
	set_limit(machine, 0);
	for (i = 0; i < CONNECTIONS; i++) {
		CHECK_EQ(channel_receive(fds[i], &answer, &registry), 0);
		CHECK_EQ(answer.status, 0);
		CHECK(registry >= 0);
		close(registry);
		close(fds[i]);
	}
}

static void wire_connections(const struct machine *machine)
{
	int fds[CONNECTIONS], before = fd_count(machine->pid), i;

	set_limit(machine, before);
	for (i = 0; i < CONNECTIONS; i++)
		fds[i] = dial_wire(machine);
	check_that_it_waits(machine);
	set_limit(machine, 0);
	CHECK_SOON(fd_count(machine->pid) == before + CONNECTIONS, PATIENCE_MS);
	for (i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
}

int main(void)
{
	struct machine machine;
	int files;

	use_key("full_descriptors");
	machine = machine_start(MACHINE);
	files = fd_count(machine.pid);
	local_connections(&machine);
	CHECK_SOON(fd_count(machine.pid) <= files, PATIENCE_MS);
	wire_connections(&machine);
	CHECK_SOON(fd_count(machine.pid) <= files, PATIENCE_MS);
	machine_stop(&machine);
	return 0;
}
