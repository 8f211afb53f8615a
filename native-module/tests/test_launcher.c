// SPDX-License-Identifier: Apache-2.0
/*
 * Lean containers with children of another machine's snapshot: a thousand leave
 * nothing behind, and a child that cannot go on is reported with a message that names
 * machine, handler id and address.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"

#define SIZE		(32ul << 20)
#define PAGE		4096ul
#define MEMORY_LIMIT	"8388608" /* bytes, less than SIZE */
#define LAUNCHES	1000
#define ID		"9"
#define MACHINE		7
#define DEADLINE_MS	"1000" /* of machines */
#define PATIENCE_MS	10000
#define CONNECTIONS_MAX 16
#define NAMESPACES_MAX	64

/* Files of a child: orders of the test, and the replies of the child. */
#define ORDERS_FD  60
#define REPLIES_FD 61

static unsigned char *memory;

/* What stands between two machines, to be cut. */
struct relay {
	pid_t pid;
	char address[64];
};

struct launcher {
	pid_t pid;
	FILE *commands, *answers;
	int errors; /* what it, and its children, write to standard error */
	int orders, replies;
};

static unsigned char value(size_t page)
{
	return 1 + page % 251;
}

static bool right(size_t first, size_t end)
{
	size_t page;

	for (page = first; page < end; page++)
		if (memory[page * PAGE] != value(page))
			return false;
	return true;
}

static int touch_a_little(void)
{
	return right(0, 8) ? 0 : 1;
}

static int touch_all(void)
{
	return right(0, SIZE / PAGE) ? 0 : 1;
}

/* Half of the memory, an order, the other half. */
static int two_halves(void)
{
	char byte;

	if (!right(0, SIZE / PAGE / 2) || write(REPLIES_FD, "h", 1) != 1 ||
	    read(ORDERS_FD, &byte, 1) != 1)
		return 1;
	return right(SIZE / PAGE / 2, SIZE / PAGE) ? 0 : 1;
}

/* On another machine. In a child, `part` is all that happens. */
static struct mitosis *prepare(const struct machine *machine, int (*part)(void))
{
	struct mitosis *device;
	size_t page;

	for (page = 0; page < SIZE / PAGE; page++)
		memory[page * PAGE] = value(page);
	fflush(stdout);
	machine_enter(machine);
	device = open_user();
	machine_leave();
	CHECK_EQ(mitosis_prepare(device, atoi(ID)), 0);
	/* Not told by its id: in its PID namespace a child may have this process's. */
	if (mitosis_nil(device) == -EBADF)
		_exit(part());
	memset(memory, 0, SIZE);
	return device;
}

/* Moves what has come to the other end. False at the end of the connection. */
static bool pass_on(int from, int to)
{
	static char bytes[1 << 16];
	ssize_t n = recv(from, bytes, sizeof(bytes), 0), done = 0;

	while (done < n) {
		ssize_t sent = send(to, bytes + done, n - done, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		done += sent;
	}
	return n > 0;
}

/* -1: nobody listens there any more. */
static int dial(const struct machine *machine)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(machine->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* The first of `ends` listens; from the third on, two by two are a connection's. */
static void __attribute__((noreturn))
relay_run(int listener, const struct machine *machine)
{
	struct pollfd ends[2 + 2 * CONNECTIONS_MAX];
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < 2 + 2 * CONNECTIONS_MAX; i++)
		ends[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	ends[0].fd = listener;
	for (;;) {
		CHECK(poll(ends, 2 + 2 * CONNECTIONS_MAX, -1) > 0);
		for (i = 2; i < 2 + 2 * CONNECTIONS_MAX; i++) {
			int other = i ^ 1;

			if (ends[i].fd < 0 || !ends[i].revents ||
			    pass_on(ends[i].fd, ends[other].fd))
				continue;
			close(ends[i].fd);
			close(ends[other].fd);
			ends[i].fd = ends[other].fd = -1;
			ends[other].revents = 0;
		}
		if (!ends[0].revents)
			continue;
		for (i = 2; ends[i].fd >= 0; i += 2)
			CHECK(i < 2 * CONNECTIONS_MAX);
		ends[i].fd = accept(listener, NULL, NULL);
		CHECK(ends[i].fd >= 0);
		ends[i + 1].fd = dial(machine);
		/* A pager asks for another connection when an answer is late. */
		if (ends[i + 1].fd < 0) {
			close(ends[i].fd);
			ends[i].fd = -1;
		}
		ends[i].revents = ends[i + 1].revents = 0;
	}
}

static struct relay relay_start(const struct machine *machine)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct relay relay;

	CHECK(!bind(listener, (struct sockaddr *)&address, size));
	CHECK(!listen(listener, CONNECTIONS_MAX));
	CHECK(!getsockname(listener, (struct sockaddr *)&address, &size));
	snprintf(relay.address, sizeof(relay.address), "tcp://127.0.0.1:%u",
		 ntohs(address.sin_port));
	relay.pid = fork();
	CHECK(relay.pid >= 0);
	if (relay.pid == 0)
		relay_run(listener, machine);
	close(listener);
	return relay;
}

static void relay_stop(const struct relay *relay)
{
	kill(relay->pid, SIGKILL);
	CHECK(waitpid(relay->pid, NULL, 0) == relay->pid);
}

/* The next line of a launcher's, without its end. */
static void answer(struct launcher *l, char line[4096])
{
	struct pollfd p = { .fd = fileno(l->answers), .events = POLLIN };

	line[0] = '\0';
	if (poll(&p, 1, PATIENCE_MS) != 1) {
		printf("the launcher is silent for %d ms\n", PATIENCE_MS);
		exit(1);
	}
	CHECK(fgets(line, 4096, l->answers));
	line[strcspn(line, "\n")] = '\0';
}

static void check_ok(const char *line)
{
	if (strncmp(line, "ok ", 3)) {
		printf("the launcher answers '%s'\n", line);
		exit(1);
	}
}

static void say(struct launcher *l, const char *command)
{
	CHECK(fprintf(l->commands, "%s\n", command) > 0);
	CHECK(!fflush(l->commands));
}

/* Without an address, it uses the session that is there. */
static struct launcher launcher_start(const char *address, const char *cgroup)
{
	char path[512], line[4096];
	int in[2], out[2], err[2], orders[2], replies[2];
	struct launcher l;

	snprintf(path, sizeof(path), "%s/mitosis-launcher",
		 getenv("MITOSIS_TEST_BIN"));
	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC) &&
	      !pipe2(err, O_CLOEXEC | O_NONBLOCK) && !pipe2(orders, O_CLOEXEC) &&
	      !pipe2(replies, O_CLOEXEC));
	l.pid = fork();
	CHECK(l.pid >= 0);
	if (l.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		dup2(orders[0], ORDERS_FD);
		dup2(replies[1], REPLIES_FD);
		if (!address)
			execl(path, path, "--driven", "--backend", "user",
			      "--handler-id", ID, "--machine-id", "7", "--prefetch",
			      "4", "--cgroup", cgroup, (char *)NULL);
		execl(path, path, "--driven", "--backend", "user", "--handler-id",
		      ID, "--machine-id", "7", "--address", address, "--prefetch",
		      "4", "--cgroup", cgroup, (char *)NULL);
		_exit(127);
	}
	close(in[0]), close(out[1]), close(err[1]), close(orders[0]),
		close(replies[1]);
	l.commands = fdopen(in[1], "w");
	l.answers = fdopen(out[0], "r");
	l.errors = err[0];
	l.orders = orders[1];
	l.replies = replies[0];
	answer(&l, line);
	if (strncmp(line, "ok ready=1", 10)) {
		printf("no launcher: %s\n", line);
		exit(1);
	}
	return l;
}

static void launcher_stop(struct launcher *l)
{
	char line[4096];

	say(l, "quit");
	answer(l, line);
	CHECK(!strcmp(line, "ok"));
	CHECK_EQ(status_within(l->pid, PATIENCE_MS), 0);
	fclose(l->commands), fclose(l->answers);
	close(l->errors), close(l->orders), close(l->replies);
}

/* Control groups of a launcher, in all hierarchies. */
static int group_count(const struct launcher *l)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	int n = 0;

	CHECK(mounts);
	while ((m = getmntent(mounts))) {
		char path[4200];

		snprintf(path, sizeof(path), "%s/mitosis-%d", m->mnt_dir, l->pid);
		n += !strncmp(m->mnt_type, "cgroup", 6) && !access(path, F_OK);
	}
	endmntent(mounts);
	return n;
}

/* How many mount namespaces the processes with this test's runtime directory are in. */
static int namespace_count(void)
{
	char seen[NAMESPACES_MAX][64];
	DIR *proc = opendir("/proc");
	pid_t pid;
	int n = 0, i;

	CHECK(proc);
	while ((pid = next_of_ours(proc))) {
		char path[64], name[64];
		ssize_t size;

		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		size = readlink(path, name, sizeof(name) - 1);
		if (size < 0)
			continue;
		name[size] = '\0';
		for (i = 0; i < n && strcmp(seen[i], name); i++)
			;
		if (i == n && n < NAMESPACES_MAX)
			strcpy(seen[n++], name);
	}
	closedir(proc);
	return n;
}

static void a_thousand_leave_nothing(const struct machine *machine)
{
	struct mitosis *local = open_user(), *device;
	int groups, spaces, mounts, processes, fds[4], own_spaces, i;
	struct launcher l;
	pid_t watched[4];
	char line[4096];

	own_spaces = namespace_count();
	device = prepare(machine, touch_a_little);
	l = launcher_start(machine->address, "auto");
	watched[0] = l.pid;
	watched[1] = daemon_pid();
	watched[2] = machine->pid;
	watched[3] = find_snapshot(device, atoi(ID)).shadow_pid;
	for (i = 0; i < 3; i++) {
		say(&l, "launch");
		answer(&l, line);
		check_ok(line);
	}
	sleep_ms(100); /* the servers notice the ends */
	for (i = 0; i < 4; i++)
		fds[i] = fd_count(watched[i]);
	groups = group_count(&l);
	spaces = namespace_count();
	mounts = mount_count();
	processes = process_count();
	printf("%d control groups, %d mount namespaces, %d processes\n", groups,
	       spaces, processes);
	for (i = 0; i < LAUNCHES; i++) {
		say(&l, "launch");
		answer(&l, line);
		check_ok(line);
	}
	for (i = 0; i < 4; i++)
		CHECK_SOON(fd_count(watched[i]) <= fds[i], 20000);
	CHECK_EQ(group_count(&l), groups);
	CHECK_EQ(namespace_count(), spaces);
	CHECK_EQ(mount_count(), mounts);
	CHECK_SOON(process_count() <= processes, 20000);
	launcher_stop(&l);
	CHECK_EQ(group_count(&l), 0);
	CHECK_EQ(namespace_count(), own_spaces);
	CHECK_EQ(mount_count(), mounts);
	mitosis_close(device);
	mitosis_close(local);
}

enum fault {
	CONNECTION_CUT,
	NETWORK_SILENT,
	SHADOW_KILLED,
	SHADOW_STOPPED,
	DAEMON_KILLED, /* the shadow has the connection: the child goes on */
	FAULTS,
};

static const char *const fault_names[FAULTS] = {
	"connection cut", "network silent", "shadow killed",
	"shadow stopped", "daemon killed",
};

/* A child in a container waits for a page that does not come. */
static void told_on_the_launcher(enum fault fault, bool connected)
{
	struct machine machine;
	struct relay relay;
	struct mitosis *device, *here;
	char line[4096], place[128];
	struct launcher l;
	struct pollfd p;
	pid_t shadow;
	ssize_t n;

	/* A sealed session does not pass a relay: its ends see other addresses. */
	setenv("MITOSIS_PROTECTION", "handshake", 1);
	machine = machine_start(MACHINE);
	relay = relay_start(&machine);
	device = prepare(&machine, two_halves);
	shadow = find_snapshot(device, atoi(ID)).shadow_pid;
	here = open_user();
	if (connected)
		CHECK_EQ(mitosis_connect(here, MACHINE, relay.address), 0);
	l = launcher_start(connected ? NULL : relay.address, "none");
	p = (struct pollfd){ .fd = l.replies, .events = POLLIN };
	printf("%s\n", fault_names[fault]);
	say(&l, "launch");
	CHECK(poll(&p, 1, PATIENCE_MS) == 1 && read(l.replies, line, 1) == 1);
	switch (fault) {
	case CONNECTION_CUT:
		kill(relay.pid, SIGKILL);
		break;
	case NETWORK_SILENT:
		kill(relay.pid, SIGSTOP);
		break;
	case SHADOW_KILLED:
		kill(shadow, SIGKILL);
		break;
	case SHADOW_STOPPED:
		kill(shadow, SIGSTOP);
		break;
	case DAEMON_KILLED:
		kill(machine.pid, SIGKILL);
		break;
	default:
		break;
	}
	CHECK(write(l.orders, "g", 1) == 1);
	answer(&l, line);
	if (fault == DAEMON_KILLED) {
		check_ok(line);
	} else {
		snprintf(place, sizeof(place),
			 "handler id " ID " of machine %d at %s ", MACHINE,
			 relay.address);
		if (strncmp(line, "error errno=104 ", 16) || !strstr(line, place)) {
			printf("'%s' does not name '%s'\n", line, place);
			exit(1);
		}
		/* The process that knows the cause reports it. */
		n = read(l.errors, line, sizeof(line) - 1);
		line[n > 0 ? n : 0] = '\0';
		snprintf(place, sizeof(place), "machine %d at %s ", MACHINE,
			 relay.address);
		CHECK(strstr(line, place));
	}
	launcher_stop(&l);
	if (fault == SHADOW_STOPPED)
		kill(shadow, SIGCONT);
	unsetenv("MITOSIS_PROTECTION");
	relay_stop(&relay);
	mitosis_close(here);
	mitosis_close(device);
	if (fault == DAEMON_KILLED)
		CHECK(waitpid(machine.pid, NULL, 0) == machine.pid);
	else
		machine_stop(&machine);
	CHECK_SOON(!alive(shadow), 20000);
}

static bool write_file(const char *folder, const char *name, const char *text)
{
	char path[4200];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return done;
}

/* A control group that has not enough memory for the snapshot; false if none can be made. */
static bool make_small_group(char path[4200])
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool made = false;

	while (mounts && !made && (m = getmntent(mounts))) {
		bool v2 = !strcmp(m->mnt_type, "cgroup2");

		if (!v2 &&
		    (strcmp(m->mnt_type, "cgroup") || !hasmntopt(m, "memory")))
			continue;
		snprintf(path, 4200, "%s/mitosis-test-%d", m->mnt_dir, getpid());
		if (mkdir(path, 0755))
			continue;
		made = v2 ? write_file(path, "memory.max", MEMORY_LIMIT) &&
				       write_file(path, "cgroup.subtree_control",
						  "+memory")
			  : write_file(path, "memory.limit_in_bytes", MEMORY_LIMIT);
		if (!made)
			rmdir(path);
	}
	if (mounts)
		endmntent(mounts);
	return made;
}

static void out_of_memory(const struct machine *machine)
{
	struct mitosis *device;
	char line[4096], group[4200];
	struct launcher l;

	if (!make_small_group(group)) {
		puts("out_of_memory left out: needs the right to make a control "
		     "group "
		     "with a limit to its memory");
		return;
	}
	device = prepare(machine, touch_all);
	l = launcher_start(machine->address, group);
	say(&l, "launch");
	answer(&l, line);
	if (strncmp(line, "error errno=12 ", 15) || !strstr(line, "control group") ||
	    !strstr(line, machine->address)) {
		printf("not told of the limit: %s\n", line);
		exit(1);
	}
	/* And it is the child's end only. */
	say(&l, "launch");
	answer(&l, line);
	CHECK(!strncmp(line, "error errno=12 ", 15));
	launcher_stop(&l);
	CHECK(!rmdir(group));
	CHECK(alive(find_snapshot(device, atoi(ID)).shadow_pid));
	mitosis_close(device);
}

int main(void)
{
	struct machine machine;
	enum fault fault;

	need_userfaultfd();
	setenv("MITOSIS_DEADLINE_MS", DEADLINE_MS, 1);
	signal(SIGPIPE, SIG_IGN);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	use_key("launcher");
	machine = machine_start(MACHINE);
	a_thousand_leave_nothing(&machine);
	out_of_memory(&machine);
	machine_stop(&machine);
	/* The next one gets another MITOSIS_PROTECTION. */
	CHECK_SOON(!daemon_pid(), PATIENCE_MS);
	for (fault = 0; fault < FAULTS; fault++)
		told_on_the_launcher(fault, false);
	told_on_the_launcher(CONNECTION_CUT, true);
	return 0;
}
