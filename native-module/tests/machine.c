// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/user/auth_config.h"
#include "tests/harness.h"

#define STOP_MS 20000

static char own_dir[128];

static const char *base_dir(void)
{
	if (!*own_dir)
		snprintf(own_dir, sizeof(own_dir), "%s",
			 getenv("MITOSIS_RUNTIME_DIR"));
	return own_dir;
}

void use_key(const char *name)
{
	char path[192];
	char key[32];
	int fd;

	snprintf(path, sizeof(path), "%s.%s.key", base_dir(), name);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd >= 0) {
		CHECK(getrandom(key, sizeof(key), 0) == sizeof(key));
		CHECK(write(fd, key, sizeof(key)) == sizeof(key));
		explicit_bzero(key, sizeof(key));
		close(fd);
	}
	setenv("MITOSIS_KEY_FILE", path, 1);
}

struct machine machine_start(uint32_t machine_id)
{
	return machine_start_at(machine_id, "127.0.0.1");
}

struct machine machine_start_at(uint32_t machine_id, const char *host)
{
	/* Two machines may have one id. */
	static unsigned int count;
	struct machine m = { 0 };
	char id[16], listen[64], line[256] = "";
	int out[2];
	FILE *f;
	char *colon;

	snprintf(m.dir, sizeof(m.dir), "%s-m%u.%u", base_dir(), machine_id, ++count);
	snprintf(id, sizeof(id), "%u", machine_id);
	snprintf(listen, sizeof(listen), "tcp://%s:0", host);
	CHECK(!pipe2(out, O_CLOEXEC));
	m.pid = fork();
	if (m.pid == 0) {
		/* Not found by its environment when this test is killed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		setenv("MITOSIS_RUNTIME_DIR", m.dir, 1);
		execl(getenv("MITOSIS_DAEMON"), "mitosisd", "--foreground",
		      "--machine-id", id, "--listen", listen, NULL);
		_exit(127);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	CHECK(f && fgets(line, sizeof(line), f));
	fclose(f);
	colon = strrchr(line, ':');
	CHECK(colon);
	m.port = atoi(colon + 1);
	snprintf(m.address, sizeof(m.address), "tcp://%s:%u", host, m.port);
	return m;
}

void machine_stop(struct machine *m)
{
	kill(m->pid, SIGTERM);
	status_within(m->pid, STOP_MS);
}

void machine_enter(const struct machine *m)
{
	base_dir();
	setenv("MITOSIS_RUNTIME_DIR", m->dir, 1);
}

void machine_leave(void)
{
	setenv("MITOSIS_RUNTIME_DIR", base_dir(), 1);
}

int machine_connect(uint16_t port, struct wire_connection *connection)
{
	struct sockaddr_in6 where = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
	};
	struct auth auth;
	char message[256];

	CHECK(inet_pton(AF_INET6, "::ffff:127.0.0.1", &where.sin6_addr) == 1);
	CHECK_EQ(auth_configure(&auth, message, sizeof(message)), 0);
	return wire_connect(connection, &where, &auth);
}

uint64_t machine_open_snapshot(struct wire_connection *connection,
			       uint32_t handler_id)
{
	const struct wire_open request = { .handler_id = handler_id };
	struct wire_rights rights;
	uint32_t size;
	void *bytes;

	CHECK_EQ(wire_send(connection, WIRE_OPEN, &request, sizeof(request)), 0);
	CHECK_EQ(wire_receive_rights(connection, &rights), 0);
	CHECK_EQ(wire_receive_answer(connection, &size), 0);
	bytes = malloc(size);
	CHECK(bytes && !wire_receive(connection, bytes, size));
	free(bytes);
	CHECK(rights.snapshot);
	return rights.snapshot;
}
