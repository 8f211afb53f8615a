// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/preloaded.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/clock.h"

#define DEADLINE_MS 10000
#define OPTIONS_MAX 8

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
}

uint16_t free_port(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) &&
	      !getsockname(fd, (struct sockaddr *)&address, &size));
	close(fd);
	return ntohs(address.sin_port);
}

struct preloaded preloaded_start(const char *name, const char *const *argv,
				 int output)
{
	struct preloaded p = { 0 };
	char library[256], link[256];

	snprintf(p.socket, sizeof(p.socket), "%s-%s", getenv("MITOSIS_RUNTIME_DIR"),
		 name);
	snprintf(library, sizeof(library), "%s/libmitosis-preload.so",
		 getenv("MITOSIS_TEST_BIN"));
	/* The loader would end its path at a space. */
	snprintf(link, sizeof(link), "%s.preload.so", p.socket);
	CHECK(!symlink(library, link) || errno == EEXIST);
	fflush(stdout);
	p.pid = fork();
	CHECK(p.pid >= 0);
	if (p.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (output >= 0)
			dup2(output, STDOUT_FILENO);
		setenv("LD_PRELOAD", link, 1);
		setenv("MITOSIS_PRELOAD_SOCKET", p.socket, 1);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	return p;
}

void preloaded_end(struct preloaded *p)
{
	kill_and_reap(p->pid);
	unlink(p->socket);
}

int run_prepare(const struct preloaded *p, const char *const *options, char *printed,
		size_t size)
{
	const char *argv[OPTIONS_MAX + 3] = { "mitosis-prepare" };
	char program[256];
	size_t used = 0;
	int out[2], i, count = 1, status;
	ssize_t n;
	pid_t pid;

	for (i = 0; options[i]; i++) {
		CHECK(i < OPTIONS_MAX);
		argv[count++] = options[i];
	}
	argv[count] = p->socket;
	snprintf(program, sizeof(program), "%s/mitosis-prepare",
		 getenv("MITOSIS_TEST_BIN"));
	CHECK(!pipe2(out, O_CLOEXEC));
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execv(program, (char *const *)argv);
		_exit(127);
	}
	close(out[1]);
	while (used < size - 1 &&
	       (n = read(out[0], printed + used, size - 1 - used)) > 0)
		used += n;
	printed[used] = '\0';
	close(out[0]);
	status = status_within(pid, DEADLINE_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

pid_t resume_from_machine(const struct machine *machine, const char *handler_id)
{
	char program[256];
	pid_t pid;

	snprintf(program, sizeof(program), "%s/mitosis-child",
		 getenv("MITOSIS_TEST_BIN"));
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, "mitosis-child", "--backend", "user", "--remote", "7",
		      "--address", machine->address, "--handler-id", handler_id,
		      "--own", "network", "--host-name", "of-its-own", NULL);
		_exit(127);
	}
	return pid;
}

pid_t child_behind(pid_t stand_in, const char *name)
{
	pid_t pid = 0;

	CHECK_SOON((pid = find_process(name, stand_in)) || !alive(stand_in),
		   DEADLINE_MS);
	CHECK(pid);
	return pid;
}

/* One connection. */
static bool ask(uint16_t port, const char *request, const char *expected,
		int64_t deadline_ms)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	char text[4096] = "";
	ssize_t n = 1;

	CHECK(fd >= 0);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
		while (n > 0 && !strstr(text, expected) && used < sizeof(text) - 1 &&
		       now_ms() < deadline_ms && poll(&p, 1, 100) >= 0) {
			if (!p.revents)
				continue;
			n = read(fd, text + used, sizeof(text) - 1 - used);
			used += n > 0 ? n : 0;
			text[used] = '\0';
		}
	close(fd);
	return strstr(text, expected);
}

bool answers(uint16_t port, const char *request, const char *expected)
{
	int64_t deadline_ms = now_ms() + DEADLINE_MS;

	do {
		if (ask(port, request, expected, deadline_ms))
			return true;
		sleep_ms(20);
	} while (now_ms() < deadline_ms);
	return false;
}

bool answers_in_network_of(pid_t pid, uint16_t port, const char *request,
			   const char *expected)
{
	char path[64];
	pid_t asks;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fflush(stdout);
	asks = fork();
	CHECK(asks >= 0);
	if (asks == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET))
			_exit(2);
		_exit(answers(port, request, expected) ? 0 : 1);
	}
	return !status_within(asks, 2 * DEADLINE_MS);
}
