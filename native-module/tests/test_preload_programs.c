// SPDX-License-Identifier: Apache-2.0
/*
 * Servers as they are installed, which know nothing of the library: what they were told before they
 * were prepared, their child answers at the same port, over TCP from another machine.
 * `test_preload_programs NAME` runs one.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/preloaded.h"

#define PORT "{port}" /* stands for the port in arguments */

struct program {
	const char *name;
	const char *argv[16];
	const char *set, *set_answer;
	const char *get;
};

/* A thread for each connection, and one that ticks. */
#define PYTHON_SERVER                                                               \
	"import socketserver, threading, time\n"                                    \
	"kept = {'value': 'none', 'ticks': 0}\n"                                    \
	"def tick():\n"                                                             \
	"    while True:\n"                                                         \
	"        kept['ticks'] += 1\n"                                              \
	"        time.sleep(0.001)\n"                                               \
	"class Handler(socketserver.StreamRequestHandler):\n"                       \
	"    def handle(self):\n"                                                   \
	"        words = self.rfile.readline().decode().split()\n"                  \
	"        if words[0] == 'set':\n"                                           \
	"            kept['value'] = words[1]\n"                                    \
	"        before = kept['ticks']\n"                                          \
	"        while kept['ticks'] == before:\n"                                  \
	"            time.sleep(0.001)\n"                                           \
	"        self.wfile.write((kept['value'] + '\\n').encode())\n"              \
	"class Server(socketserver.ThreadingTCPServer):\n"                          \
	"    allow_reuse_address = True\n"                                          \
	"threading.Thread(target=tick, daemon=True).start()\n"                      \
	"Server(('127.0.0.1', " PORT "), Handler).serve_forever()\n"

static const struct program programs[] = {
	{
		.name = "redis-server",
		.argv = { "/usr/bin/redis-server", "--port", PORT, "--bind",
			  "127.0.0.1", "--save", "", "--appendonly", "no",
			  "--daemonize", "no", NULL },
		.set = "SET key %s\r\n",
		.set_answer = "+OK",
		.get = "GET key\r\n",
	},
	{
		.name = "python3",
		.argv = { "/usr/bin/python3", "-c", PYTHON_SERVER, NULL },
		.set = "set %s\n",
		.get = "get\n",
	},
};

#define COUNT (sizeof(programs) / sizeof(programs[0]))

/* A copy of an argument with the port in it. */
static char *with_port(const char *argument, uint16_t port)
{
	const char *at = strstr(argument, PORT);
	char *text;

	if (!at)
		return strdup(argument);
	CHECK(asprintf(&text, "%.*s%u%s", (int)(at - argument), argument, port,
		       at + strlen(PORT)) > 0);
	return text;
}

static struct preloaded start_program(const struct program *program)
{
	const char *argv[16] = { NULL };
	struct preloaded p;
	uint16_t port = free_port();
	int i;

	for (i = 0; program->argv[i]; i++)
		argv[i] = with_port(program->argv[i], port);
	p = preloaded_start(program->name, argv, -1);
	p.port = port;
	return p;
}

static bool set(const struct preloaded *p, const struct program *program,
		const char *value)
{
	char request[64];

	snprintf(request, sizeof(request), program->set, value);
	return answers(p->port, request,
		       program->set_answer ? program->set_answer : value);
}

static void run(const struct program *program, const struct machine *machine)
{
	static const char *const options[] = { "--handler-id", "5", NULL };
	struct preloaded p;
	pid_t stand_in, pid;
	char printed[2048];
	int status;

	machine_enter(machine);
	p = start_program(program);
	CHECK(set(&p, program, "before"));
	if (run_prepare(&p, options, printed, sizeof(printed))) {
		printf("%s: %s\n", program->name, printed);
		exit(1);
	}
	CHECK(set(&p, program, "after"));
	machine_leave();

	stand_in = resume_from_machine(machine, "5");
	pid = child_behind(stand_in, program->name);
	CHECK(answers_in_network_of(pid, p.port, program->get, "before"));
	CHECK(answers(p.port, program->get, "after"));
	CHECK(!kill(stand_in, SIGKILL));
	status = status_within(stand_in, 20000);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_SOON(!alive(pid), 20000);
	preloaded_end(&p);
	printf("%s: right, %s", program->name, printed);
}

int main(int argc, char **argv)
{
	struct machine machine;
	unsigned int i, ran = 0;

	need_userfaultfd();
	need_namespaces();
	use_key("programs");
	machine = machine_start(7);
	for (i = 0; i < COUNT; i++) {
		if (argc > 1 && strcmp(argv[1], programs[i].name))
			continue;
		if (access(programs[i].argv[0], X_OK)) {
			printf("SKIP %s: it is not installed\n", programs[i].name);
			continue;
		}
		run(&programs[i], &machine);
		ran++;
	}
	machine_stop(&machine);
	if (!ran)
		skip("redis-server or python3 in /usr/bin");
	return 0;
}
