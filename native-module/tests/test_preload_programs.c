// SPDX-License-Identifier: Apache-2.0
/*
 * Servers as they are installed, and one in Go, which know nothing of the library: what they were told before they
 * were prepared, their child answers at the same port, over TCP from another machine; or they are refused with the
 * cause, and go on.
 * `test_preload_programs NAME` runs one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/preloaded.h"

#define PORT "{port}" /* stands for the port in arguments */

struct program {
	const char *name;
	/* The first one is a path, or the name of a program beside this test. */
	const char *argv[16];
	const char *other; /* is the same program if it is called by the name */
	const char *
		refused; /* in the message of mitosis-prepare; NULL: it has children */
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

#define NODE_SERVER                                                                 \
	"let value = 'none';\n"                                                     \
	"require('net').createServer(s => {\n"                                      \
	"  s.on('error', () => {});\n"                                              \
	"  s.on('data', d => {\n"                                                   \
	"    const words = String(d).trim().split(' ');\n"                          \
	"    if (words[0] == 'set') value = words[1];\n"                            \
	"    s.end(value + '\\n');\n"                                               \
	"  });\n"                                                                   \
	"}).listen(" PORT ", '127.0.0.1');\n"

static const struct program programs[] = {
	{
		.name = "redis-server",
		.argv = { "/usr/bin/redis-server", "--port", PORT, "--bind",
			  "127.0.0.1", "--save", "", "--appendonly", "no",
			  "--daemonize", "no", NULL },
		/* Of the package redis-tools, which starts no service. */
		.other = "/usr/bin/redis-check-rdb",
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
	{
		.name = "plain-server-go",
		.argv = { "plain-server-go", PORT, NULL },
		.set = "set %s\n",
		.get = "get\n",
	},
	{
		.name = "node",
		.argv = { "/usr/bin/node", "-e", NODE_SERVER, NULL },
		.set = "set %s\n",
		.get = "get\n",
		.refused = "(MADV_DONTFORK), as V8 keeps its heap",
	},
};

#define COUNT (sizeof(programs) / sizeof(programs[0]))

/* Where it is, by the name that it has to be called by; false if it is not installed. */
static bool find_program(const struct program *program, char *path, size_t size)
{
	char folder[200];

	if (*program->argv[0] == '/')
		snprintf(path, size, "%s", program->argv[0]);
	else
		snprintf(path, size, "%s/../tests/%s", getenv("MITOSIS_TEST_BIN"),
			 program->argv[0]);
	if (!access(path, X_OK))
		return true;
	if (!program->other || access(program->other, X_OK))
		return false;
	snprintf(folder, sizeof(folder), "%s-programs",
		 getenv("MITOSIS_RUNTIME_DIR"));
	snprintf(path, size, "%s/%s", folder, program->name);
	CHECK(!mkdir(folder, 0700) || errno == EEXIST);
	CHECK(!symlink(program->other, path) || errno == EEXIST);
	return true;
}

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

static struct preloaded start_program(const struct program *program,
				      const char *path)
{
	const char *argv[16] = { path };
	struct preloaded p;
	uint16_t port = free_port();
	int i;

	for (i = 1; program->argv[i]; i++)
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

/* What its child answers; or nothing, if it is refused. */
static void run(const struct program *program, const char *path,
		const struct machine *machine)
{
	static const char *const options[] = { "--handler-id", "5", NULL };
	struct preloaded p;
	pid_t stand_in, pid;
	char printed[2048];
	bool refused;
	int status;

	machine_enter(machine);
	p = start_program(program, path);
	CHECK(set(&p, program, "before"));
	refused = run_prepare(&p, options, printed, sizeof(printed));
	if (refused != (program->refused != NULL) ||
	    (refused && !strstr(printed, program->refused))) {
		printf("%s: %s\n", program->name, printed);
		exit(1);
	}
	CHECK(set(&p, program, "after"));
	machine_leave();
	if (refused) {
		preloaded_end(&p);
		printf("%s: refused, %s", program->name, printed);
		return;
	}

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
	char path[256];

	need_userfaultfd();
	need_namespaces();
	use_key("programs");
	machine = machine_start(7);
	for (i = 0; i < COUNT; i++) {
		if (argc > 1 && strcmp(argv[1], programs[i].name))
			continue;
		if (!find_program(&programs[i], path, sizeof(path))) {
			printf("SKIP %s: it is not installed\n", programs[i].name);
			continue;
		}
		run(&programs[i], path, &machine);
		ran++;
	}
	machine_stop(&machine);
	if (!ran)
		skip("redis-server, python3, node or Go");
	return 0;
}
