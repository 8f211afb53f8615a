// SPDX-License-Identifier: Apache-2.0
/*
 * What a program does not understand it says in one line, alike in all of them, and ends
 * with 2.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define PROGRAMS_MIN 10

/* Runs a program of the build without input. Its wait status, and what it wrote to both outputs. */
static int run(const char *program, const char *arguments, char *text, size_t size)
{
	char command[512];
	size_t length;
	FILE *output;

	snprintf(command, sizeof(command),
		 "timeout 20 \"$MITOSIS_TEST_BIN\"/%s %s </dev/null 2>&1", program,
		 arguments);
	output = popen(command, "r");
	CHECK(output);
	length = fread(text, 1, size - 1, output);
	text[length] = '\0';
	return pclose(output);
}

/* One line that begins with the program's name, has the text, and ends with where to read more. */
static void check_refusal(const char *program, const char *arguments,
			  const char *has)
{
	char text[8192], begin[64], end[64];
	int status = run(program, arguments, text, sizeof(text));
	size_t length = strlen(text);

	snprintf(begin, sizeof(begin), "%s: ", program);
	snprintf(end, sizeof(end), "; see %s --help\n", program);
	if (status != 2 << 8 || strchr(text, '\n') != text + length - 1 ||
	    strncmp(text, begin, strlen(begin)) || length < strlen(end) ||
	    strcmp(text + length - strlen(end), end) || !strstr(text, has)) {
		printf("%s %s: wait status %#x, without '%s' in one line:\n%s",
		       program, arguments, status, has, text);
		exit(1);
	}
}

static void check_program(const char *program)
{
	char text[8192], release[64];

	check_refusal(program, "--vresion",
		      "'--vresion' (did you mean '--version'?)");
	check_refusal(program, "--qqqqqqqqq", "there is no option '--qqqqqqqqq';");
	check_refusal(program, "-qx", "there is no option '-qx';");
	check_refusal(program, "--version=3",
		      "'--version' takes no value, got '--version=3'");
	CHECK_EQ(run(program, "--version", text, sizeof(text)), 0);
	snprintf(release, sizeof(release), "%s %s\n", program, MITOSIS_VERSION);
	CHECK(!strcmp(text, release));
	CHECK_EQ(run(program, "--help", text, sizeof(text)), 0);
	CHECK(!strncmp(text, "usage: ", 7) && strstr(text, "--version"));
}

static void check_each(void)
{
	DIR *folder = opendir(getenv("MITOSIS_TEST_BIN"));
	struct dirent *entry;
	int programs = 0;

	CHECK(folder);
	while ((entry = readdir(folder))) {
		/* The daemon starts the one, and the other does nothing. */
		if (strncmp(entry->d_name, "mitosis", 7) ||
		    strchr(entry->d_name, '.') ||
		    !strcmp(entry->d_name, "mitosis-replica") ||
		    !strcmp(entry->d_name, "mitosis-noop"))
			continue;
		check_program(entry->d_name);
		programs++;
	}
	closedir(folder);
	CHECK(programs >= PROGRAMS_MIN);
}

/* A launcher whose children could not report. */
static void check_few_files(void)
{
	struct rlimit limit, few;
	char text[8192];
	int status;

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	few = limit;
	few.rlim_cur = 64;
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	status = run("mitosis-launcher", "--driven --start empty", text,
		     sizeof(text));
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	printf("%s", text);
	CHECK_EQ(status, 1 << 8);
	CHECK(strstr(text, "(ulimit -n) has no number 100"));
}

int main(void)
{
	check_each();
	check_few_files();
	check_refusal("mitosisd", "now", "unexpected argument 'now'");
	check_refusal("mitosisd", "--idle-ms soon",
		      "--idle-ms must be between 0 and");
	check_refusal("mitosisd", "--machine-id -1",
		      "--machine-id must be between 0 and");
	check_refusal("mitosisd", "--protection seald",
		      "--protection must be sealed, handshake or none, got 'seald'");
	check_refusal("mitosisd", "--transport ip",
		      "--transport must be tcp or auto, got 'ip'");
	check_refusal("mitosis-child", "extra", "unexpected argument 'extra'");
	check_refusal("mitosis-child", "--mode", "option '--mode' needs a value");
	check_refusal("mitosis-child", "--address tcp://a:1",
		      "--address needs --remote");
	check_refusal("mitosis-launcher", "--m lazy",
		      "--m may be --machine-id or --mode");
	check_refusal("mitosis-launcher", "", "choose one of --driven, --seconds");
	check_refusal("mitosis-launcher", "--driven --gate",
		      "--gate is not for --driven");
	check_refusal("mitosis-launcher", "--children 1 --rate 5",
		      "--rate needs --seconds");
	check_refusal("mitosis-launcher", "--children 1 --start empty",
		      "--children needs");
	check_refusal("mitosis-launcher", "--driven --address tcp://a:1",
		      "--address needs");
	check_refusal("mitosis-parent", "--driven", "--memory-size is missing");
	check_refusal("mitosis-parent", "--memory-size 4096",
		      "choose one of --driven and");
	check_refusal("mitosis-prepare", "", "SOCKET is missing");
	check_refusal("mitosis-prepare", "/a /b", "unexpected argument '/b'");
	check_refusal("mitosis-unprepare", "", "HANDLER-ID is missing");
	check_refusal("mitosis-unprepare", "--all 3", "unexpected argument '3'");
	check_refusal("mitosis-unprepare", "--all --all-users",
		      "choose --all or --all-users");
	check_refusal("mitosis-unprepare", "x", "HANDLER-ID must be between 0 and");
	check_refusal("mitosis-connect", "1", "ADDRESS is missing");
	check_refusal("mitosis-connect", "1 2 3", "unexpected argument '3'");
	check_refusal("mitosis-criu-target", "4096", "FOLDER is missing");
	check_refusal("mitosis-criu-target", "1 2 3 /d extra",
		      "unexpected argument 'extra'");
	check_refusal("mitosis-criu-target", "1 0 /d",
		      "THREADS must be between 1 and");
	check_refusal("mitosis-rdma-floor", "", "HOST is missing");
	check_refusal("mitosis-rdma-floor", "--connect ::1", "PORT is missing");
	check_refusal("mitosis-rdma-floor", "a b", "unexpected argument 'b'");
	check_refusal("mitosis-rdma-selftest", "--backend both",
		      "--backend must be auto, kernel or user");
	return 0;
}
