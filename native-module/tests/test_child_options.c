// SPDX-License-Identifier: Apache-2.0
/*
 * The options of children: a caller of an earlier or later release is understood; a child with
 * threads has what it was to have of its own; files are found at other paths; clocks do not go back.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/path_map.h"
#include "tests/cases.h"
#include "tests/harness.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define CASE_MS	   60000
#define HANDLER_ID 1
#define HOST_NAME  "of-the-child"
#define AHEAD_S	   100000

enum option_case {
	SIZES,
	REFUSED,
	OWN,
	OWN_TMP,
	PATHS,
	ROOT_PATHS,
	CLOCKS,
	SIGNALS,
	OPTION_CASES
};

static char path[200];
static char network[64]; /* of the parent */
static struct timespec read_at;
static _Atomic int woken;

/* Lies behind the struct of this release. */
struct later_options {
	struct mitosis_child_options known;
	uint64_t more;
};

static void sizes(void)
{
	struct mitosis *device = open_user();
	struct later_options o = { .known.size = sizeof(o) };
	struct mitosis_child_options *known = &o.known;

	CHECK_EQ(mitosis_set_child_options(device, NULL), -EINVAL);
	CHECK_EQ(mitosis_set_child_options(device, known), 0);
	o.more = 1;
	CHECK_EQ(mitosis_set_child_options(device, known), -E2BIG);
	check_error_has("set the others to 0");
	known->size = 0;
	CHECK_EQ(mitosis_set_child_options(device, known), -EINVAL);
	check_error_has("must say their size");

	/* An earlier release's: what lies behind is not looked at. */
	known->size = offsetof(struct mitosis_child_options, own);
	known->own = ~0u;
	CHECK_EQ(mitosis_set_child_options(device, known), 0);
	known->size = sizeof(*known);
	CHECK_EQ(mitosis_set_child_options(device, known), -EINVAL);
	known->own = MITOSIS_OWN_NETWORK;
	known->mode = MITOSIS_RESUME_CLONE;
	CHECK_EQ(mitosis_set_child_options(device, known), -EOPNOTSUPP);
	known->mode = MITOSIS_RESUME_LAZY;
	known->own = 0;
	known->host_name = "";
	CHECK_EQ(mitosis_set_child_options(device, known), -EINVAL);
	known->host_name = NULL;
	known->signals = MITOSIS_SIGNALS_CLEARED + 1;
	CHECK_EQ(mitosis_set_child_options(device, known), -EINVAL);
	check_error_has("signals must be 0 (any) or 1 (cleared) and reserved 0, got "
			"2 and 0");
	known->signals = 0;
	known->path_count = 1;
	known->paths = &(struct mitosis_path){ "relative", "/absolute" };
	CHECK_EQ(mitosis_set_child_options(device, known), -EINVAL);
	check_error_has("must be absolute, got 'relative'");
	mitosis_close(device);
}

static bool is_left_out(const char *name)
{
	if (has_namespaces())
		return false;
	printf("%s: SKIP: %s\n", name, NAMESPACES_NEEDED);
	return true;
}

/* A child by these options; its status. */
static int run_child(const struct mitosis_child_options *options)
{
	struct mitosis *device;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		device = open_user();
		CHECK_EQ(mitosis_set_child_options(device, options), 0);
		mitosis_resume_local(device, HANDLER_ID);
		printf("%s\n", mitosis_error());
		fflush(stdout);
		_exit(125);
	}
	return status_within(pid, CASE_MS / 2);
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void name_network(char name[64])
{
	ssize_t size = readlink("/proc/self/ns/net", name, 63);

	CHECK(size > 0);
	name[size] = '\0';
}

static bool loopback_is_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return !ioctl(fd, SIOCGIFFLAGS, &request) && request.ifr_flags & IFF_UP;
}

static bool is_empty(const char *folder)
{
	DIR *d = opendir(folder);
	int count = 0;

	while (readdir(d))
		count++;
	closedir(d);
	return count == 2;
}

/* The child is one that has all of its own, if its host name says so. */
static void prepare_with_thread(void *argument)
{
	struct mitosis *device = open_user();
	char name[MITOSIS_HOST_NAME_SIZE], now[64];
	pthread_t thread;
	bool own;

	(void)argument;
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	name_network(network);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) != -EBADF)
		return;
	CHECK(!gethostname(name, sizeof(name)));
	own = !strcmp(name, HOST_NAME);
	name_network(now);
	CHECK_EQ(!strcmp(network, now), !own);
	if (own) {
		CHECK(loopback_is_up());
		CHECK(is_empty("/tmp"));
		CHECK(!mkdir("/tmp/of-the-child", 0700));
	}
	fflush(stdout);
	_exit(own ? 1 : 2);
}

static void prepare_alone(void *argument)
{
	(void)argument;
	CHECK_EQ(mitosis_prepare(open_user(), HANDLER_ID), 0);
}

/* The next one prepares under the same number. */
static void end_parent(pid_t parent)
{
	struct mitosis *device = open_user();

	kill_and_reap(parent);
	CHECK_SOON(!find_snapshot(device, HANDLER_ID).handler_id, 20000);
	mitosis_close(device);
}

static uint32_t window_of(struct mitosis *device)
{
	struct mitosis_attachment *attachment;
	uint32_t window;

	CHECK_EQ(mitosis_attach_local(device, HANDLER_ID, &attachment), 0);
	window = mitosis_attachment_window(attachment);
	mitosis_detach(attachment);
	return window;
}

/* What is refused leaves them as they were. */
static void refused(void)
{
	struct mitosis_path map = { "relative", "/absolute" };
	struct mitosis_child_options options = {
		.size = sizeof(options),
		.prefetch_pages = 32,
	};
	pid_t parent = start_waiting(prepare_alone, NULL);
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_set_child_options(device, &options), 0);
	options.prefetch_pages = 8;
	options.path_count = 1;
	options.paths = &map;
	CHECK_EQ(mitosis_set_child_options(device, &options), -EINVAL);
	CHECK_EQ(window_of(device), 32);
	map.from = "/absolute-too";
	options.mode = MITOSIS_RESUME_CLONE;
	CHECK_EQ(mitosis_set_child_options(device, &options), -EOPNOTSUPP);
	CHECK_EQ(window_of(device), 32);
	options.mode = MITOSIS_RESUME_LAZY;
	CHECK_EQ(mitosis_set_child_options(device, &options), 0);
	CHECK_EQ(window_of(device), 8);
	end_parent(parent);
	mitosis_close(device);
}

/* The answer of mitosis-launcher, with further arguments, to one launch. */
static void launch(const char *arguments, char *line, size_t size)
{
	char command[1024];
	FILE *f;

	snprintf(command, sizeof(command),
		 "printf 'launch\\nquit\\n' | timeout %d %s/mitosis-launcher "
		 "--driven "
		 "--backend user --container none --handler-id 1 %s",
		 CASE_MS / 2000, getenv("MITOSIS_TEST_BIN"), arguments);
	fflush(stdout);
	f = popen(command, "r");
	/* First that it is ready. */
	CHECK(f && fgets(line, size, f) && fgets(line, size, f));
	printf("%s: %s", arguments, line);
	pclose(f);
}

static void own(void)
{
	struct mitosis_child_options options = {
		.size = sizeof(options),
		.own = MITOSIS_OWN_ALL,
		.host_name = HOST_NAME,
	};
	struct mitosis *device = open_user();
	char before[64], after[64], line[1024];
	pid_t parent;
	int status;

	if (is_left_out("own"))
		return;
	name_network(before);
	parent = start_waiting(prepare_with_thread, NULL);
	status = run_child(&options);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	options = (struct mitosis_child_options){ .size = sizeof(options) };
	status = run_child(&options);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	launch("--own network,tmp --host-name " HOST_NAME, line, sizeof(line));
	CHECK(strstr(line, "exited with 1"));
	launch("", line, sizeof(line));
	CHECK(strstr(line, "exited with 2"));
	CHECK(access("/tmp/of-the-child", F_OK));
	name_network(after);
	CHECK(!strcmp(before, after));
	end_parent(parent);

	/* Children of a process with one thread get no namespaces. */
	parent = start_waiting(prepare_alone, NULL);
	options.own = MITOSIS_OWN_TMP;
	status = run_child(&options);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 125);
	end_parent(parent);
	mitosis_close(device);
}

static void prepare_with_temporary_file(void *argument)
{
	struct mitosis *device = open_user();
	pthread_t thread;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)argument;
	CHECK(fd >= 0);
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(0);
}

/* What the child's own /tmp hides is named, and why. */
static void own_tmp(void)
{
	struct mitosis_child_options options = {
		.size = sizeof(options),
		.own = MITOSIS_OWN_TMP,
	};
	struct mitosis *device;
	pid_t parent;
	int fd;

	if (is_left_out("own_tmp"))
		return;
	snprintf(path, sizeof(path), "/tmp/mitosis-own.XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	CHECK(fd >= 0 && !close(fd));
	parent = start_waiting(prepare_with_temporary_file, NULL);
	device = open_user();
	CHECK_EQ(mitosis_set_child_options(device, &options), 0);
	CHECK_EQ(mitosis_resume_local(device, HANDLER_ID), -ENOENT);
	check_error_has("an empty /tmp of its own");
	check_error_has(path);
	end_parent(parent);
	mitosis_close(device);
	CHECK(!unlink(path));
}

static void prepare_with_file(void *argument)
{
	struct mitosis *device = open_user();
	char text[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)argument;
	CHECK(fd >= 0 && read(fd, text, 2) == 2);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) != -EBADF)
		return;
	CHECK_EQ(read(fd, text, sizeof(text)), 3);
	CHECK(!memcmp(text, "con", 3));
	_exit(0);
}

static void paths(void)
{
	struct mitosis_path map[] = { { "/", "/nowhere" }, { NULL, NULL } };
	struct mitosis_child_options options = {
		.size = sizeof(options),
		.path_count = 2,
		.paths = map,
	};
	char folder[160], elsewhere[160], maps[400], line[1024];
	pid_t parent;
	int status, fd;

	snprintf(folder, sizeof(folder), "%s-old", getenv("MITOSIS_RUNTIME_DIR"));
	snprintf(elsewhere, sizeof(elsewhere), "%s-new",
		 getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(!mkdir(folder, 0700));
	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, "second", 5) == 5);
	close(fd);
	parent = start_waiting(prepare_with_file, NULL);
	CHECK(!rename(folder, elsewhere));
	status = run_child(
		&(struct mitosis_child_options){ .size = sizeof(options) });
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 125);
	/* The longest counts; a slash at its end does not. */
	strcat(folder, "/");
	map[1] = (struct mitosis_path){ folder, elsewhere };
	status = run_child(&options);
	CHECK_EQ(status, 0);
	snprintf(maps, sizeof(maps), "--map /=/nowhere --map %s=%s", folder,
		 elsewhere);
	launch(maps, line, sizeof(line));
	CHECK(!strncmp(line, "ok startup", 10));
	end_parent(parent);
}

static void check_path(const struct path_map *map, const char *path_of_parent,
		       const char *expected)
{
	char buffer[64];

	CHECK(!strcmp(path_map_find(map, path_of_parent, buffer, sizeof(buffer)),
		      expected));
}

/* "/" is a path to map to, and from. */
static void root_paths(void)
{
	const struct mitosis_path up[] = { { "/a", "/" }, { "/b/", "//" } };
	const struct mitosis_path down[] = { { "/", "/c/" } };
	struct path_map *map;

	CHECK_EQ(path_map_create(up, 2, &map), 0);
	check_path(map, "/a", "/");
	check_path(map, "/a/x", "/x");
	check_path(map, "/b", "/");
	check_path(map, "/ab", "/ab");
	path_map_put(map);
	CHECK_EQ(path_map_create(down, 1, &map), 0);
	check_path(map, "/", "/c/");
	check_path(map, "/x", "/c/x");
	path_map_put(map);
}

/* Wakes up at a time that the machine's own clock reaches in a day. */
static void *wake_up_soon(void *argument)
{
	struct timespec at = *(const struct timespec *)argument;

	at.tv_sec += 1;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
	woken = 1;
	return NULL;
}

static void prepare_ahead(void *argument)
{
	static const char offsets[] = "monotonic 100000 0\nboottime 200000 0\n";
	struct mitosis *device;
	struct timespec now;
	pthread_t thread;
	pid_t pid;
	int fd;

	(void)argument;
	CHECK(!unshare(CLONE_NEWTIME));
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	CHECK_EQ(write(fd, offsets, sizeof(offsets) - 1), sizeof(offsets) - 1);
	close(fd);
	pid = fork();
	CHECK(pid >= 0);
	if (pid) {
		waitpid(pid, NULL, 0);
		_exit(1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	device = open_user();
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &read_at));
	CHECK(!pthread_create(&thread, NULL, wake_up_soon, &read_at));
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) != -EBADF)
		return;
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &now));
	CHECK(now.tv_sec >= read_at.tv_sec && now.tv_sec < read_at.tv_sec + 60);
	CHECK(!clock_gettime(CLOCK_BOOTTIME, &now));
	CHECK(now.tv_sec >= read_at.tv_sec);
	CHECK_SOON(woken, 20000);
	fflush(stdout);
	_exit(0);
}

static void clocks(void)
{
	struct mitosis_child_options options = { .size = sizeof(options) };
	struct mitosis *device;
	struct timespec before, after;
	pid_t parent;

	if (is_left_out("clocks"))
		return;
	if (access("/proc/self/timens_offsets", W_OK)) {
		puts("clocks: SKIP: a kernel with time namespaces");
		return;
	}
	/* It starts mitosisd, which has the clocks of the machine. */
	device = open_user();
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &before));
	parent = start_waiting(prepare_ahead, NULL);
	CHECK_EQ(run_child(&options), 0);
	options.mode = MITOSIS_RESUME_EAGER;
	CHECK_EQ(run_child(&options), 0);
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &after));
	CHECK(after.tv_sec < before.tv_sec + AHEAD_S);
	end_parent(parent);
	mitosis_close(device);
}

static void on_usr1(int signal)
{
	(void)signal;
}

/* What signal does what in a child: one that has a handler, none, and is ignored. */
static bool has_actions(void)
{
	struct sigaction of[3];

	CHECK(!sigaction(SIGUSR1, NULL, &of[0]));
	CHECK(!sigaction(SIGUSR2, NULL, &of[1]));
	CHECK(!sigaction(SIGHUP, NULL, &of[2]));
	return of[0].sa_handler == on_usr1 && of[0].sa_flags & SA_NODEFER &&
	       of[1].sa_handler == SIG_DFL && of[2].sa_handler == SIG_IGN;
}

/* As fork with CLONE_CLEAR_SIGHAND leaves them: handlers gone, ignored ones ignored. */
static void clear_signals(void)
{
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGHUP, SIG_DFL);
}

/* A child whose signals are known to be cleared has its parent's, whichever its caller ignored. */
static void signals(void)
{
	const struct sigaction plain = { .sa_handler = on_usr1,
					 .sa_flags = SA_NODEFER };
	const struct mitosis_child_options options = {
		.size = sizeof(options),
		.signals = MITOSIS_SIGNALS_CLEARED,
	};
	struct mitosis *device = open_user();

	CHECK(!sigaction(SIGUSR1, &plain, NULL));
	signal(SIGHUP, SIG_IGN);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(has_actions() ? 7 : 1);
	clear_signals();
	CHECK_EQ(run_child(&options), 7 << 8);
	mitosis_close(device);
}

static const struct test_case cases[OPTION_CASES] = {
	[SIZES] = { "sizes", sizes },	 [REFUSED] = { "refused", refused },
	[OWN] = { "own", own },		 [OWN_TMP] = { "own_tmp", own_tmp },
	[PATHS] = { "paths", paths },	 [ROOT_PATHS] = { "root_paths", root_paths },
	[CLOCKS] = { "clocks", clocks }, [SIGNALS] = { "signals", signals },
};

int main(int argc, char **argv)
{
	need_userfaultfd();
	return run_cases(cases, OPTION_CASES, CASE_MS, argc > 1 ? argv[1] : NULL);
}
