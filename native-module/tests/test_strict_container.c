// SPDX-License-Identifier: Apache-2.0
/*
 * A child in a strict container gets its pages in each mode, local and from another
 * machine, and no way out: tests/strict_child.c tries those that public reports of
 * container escapes describe, and each of its threads those that a thread has. What cannot be held is refused with a message; a launcher
 * that is killed leaves no process and no mount.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/report.h"
#include "tests/harness.h"
#include "tests/machine.h"
#include "tests/strict_child.h"
#include "tests/strict_threads.h"

#define ID	    "14"
#define MACHINE	    7
#define PAGE	    4096ul
#define PAGES	    1024ul
#define PATIENCE_MS 20000
#define LEAKED_FD   77
#define OTHER_USER  65534

static unsigned char *memory;
static char *shared; /* with a file of the host's that all users may write to */
static struct strict_outside outside;
static pid_t test; /* and of children with threads, in their namespace */

/* What the child does: it waits at its end if this is set. */
static bool stays;

static bool has_its_memory(void)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (memory[i * PAGE] != 1 + i % 251)
			return false;
	return !strcmp(shared, "parent's");
}

/* What it forks gets its pages from the same server. */
static bool forks(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(!has_its_memory());
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* Nothing that an earlier child has left: the container's first process and this one. */
static bool is_alone(void)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (d && (entry = readdir(d)))
		count += *entry->d_name >= '0' && *entry->d_name <= '9';
	if (d)
		closedir(d);
	if (count == 2)
		return true;
	dprintf(STDOUT_FILENO, "NOT CONFINED: %d processes in a fresh container\n",
		count);
	return false;
}

/* Two processes that would go on for ever, and report in the name of later children. */
static void leave_something(void)
{
	static const struct child_report lie = { .wrong = 77 };
	pid_t self = getpid();

	if (fork())
		return;
	if (setsid() < 0 || fork() < 0)
		_exit(1);
	signal(SIGTERM, SIG_IGN);
	for (;;) {
		usleep(1000);
		if (kill(self, 0) && write(REPORT_FD_DEFAULT, &lie, sizeof(lie)) < 0)
			continue;
	}
}

static void __attribute__((noreturn)) be_child(void)
{
	struct child_report report = { .resumed_ns = now_ns() };

	if (!is_alone())
		_exit(4);
	if (stays) {
		if (write(STDOUT_FILENO, "stays\n", 6) != 6)
			_exit(3);
		for (;;)
			pause();
	}
	/* Threads first: they know of nothing else that might have happened. */
	report.wrong = !strict_threads_are_confined() ||
		       !strict_child_is_confined(&outside) || !forks() ||
		       !has_its_memory();
	strcpy(shared, "child's");
	leave_something();
	report.first_result_ns = now_ns();
	if (write(REPORT_FD_DEFAULT, &report, sizeof(report)) != sizeof(report))
		_exit(2);
	_exit(0);
}

/* Without the open file of that number; -1: with all. */
static struct mitosis *prepare_without(int32_t number)
{
	const struct mitosis_prepare_options options = {
		.size = sizeof(options),
		.left_out_count = number >= 0,
		.left_out = &number,
	};
	struct mitosis *device = open_user();

	fflush(stdout);
	CHECK_EQ(mitosis_set_prepare_options(device, &options), 0);
	CHECK_EQ(mitosis_prepare(device, atoi(ID)), 0);
	/* A child that has threads has its parent's pid, too. */
	if (mitosis_nil(device) == -EBADF)
		be_child();
	return device;
}

static struct mitosis *prepare(void)
{
	return prepare_without(-1);
}

/* What the launcher is started by. */
static const char *within = "";

/*
 * Its mount namespace has another root directory, which would not be read-only. The
 * kernel makes no user namespace there.
 */
#define A_CHROOT                                                                    \
	"unshare --mount sh -c 'mount --rbind / /mnt && exec chroot /mnt \"$@\"' "  \
	"sh"

/* Runs a launcher; its output goes to standard output, too. Returns its wait status. */
static int run(const char *arguments, char *output, size_t size)
{
	char command[1024];
	size_t used = 0;
	FILE *out;

	snprintf(
		command, sizeof(command),
		"printf 'launch\\nlaunch\\nquit\\n' | timeout 60 "
		"%s %s/mitosis-launcher --driven --container strict --handler-id " ID
		" %s 2>&1",
		within, getenv("MITOSIS_TEST_BIN"), arguments);
	printf("%s\n", command);
	fflush(stdout);
	out = popen(command, "r");
	CHECK(out);
	while (used + 1 < size && fgets(output + used, size - used, out))
		used += strlen(output + used);
	output[used] = '\0';
	fputs(output, stdout);
	return pclose(out);
}

static void launch(const char *mode, const char *where)
{
	char arguments[256], output[16384], *first;

	snprintf(arguments, sizeof(arguments), "--backend user --mode %s %s", mode,
		 where);
	CHECK_EQ(run(arguments, output, sizeof(output)), 0);
	CHECK(!strstr(output, "NOT CONFINED"));
	CHECK(strstr(output, " container=strict "));
	first = strstr(output, "ok startup_ns=");
	CHECK(first && strstr(first + 1, "ok startup_ns="));
	/* The child has written to a copy. */
	CHECK(!strcmp(shared, "parent's"));
}

static void refused(const char *arguments, const char *why)
{
	char output[4096];
	int status = run(arguments, output, sizeof(output));

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	if (!strstr(output, why)) {
		printf("the message does not say '%s'\n", why);
		exit(1);
	}
}

static void drop_one_capability(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct own[2];

	CHECK(!prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN));
	CHECK(!syscall(SYS_capget, &header, own));
	own[0].effective &= ~(1u << CAP_SYS_ADMIN);
	own[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	own[0].inheritable &= ~(1u << CAP_SYS_ADMIN);
	CHECK(!syscall(SYS_capset, &header, own));
}

static void become_other_user(void)
{
	CHECK(!setgid(OTHER_USER) && !setuid(OTHER_USER));
}

/* A launcher that starts nothing needs no mitosisd. */
static void refused_without_rights(void (*give_up)(void))
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		give_up();
		refused("--start empty",
			"no strict container, which needs root with "
			"all capabilities");
		fflush(stdout);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

/* A local socket that listens, which a child could not make; those of TCP: targets/kept_sockets.c. */
static void local_socket_is_refused(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct mitosis *device;
	char output[4096];

	CHECK(fd >= 0 && !bind(fd, (void *)&address, sizeof(sa_family_t)) &&
	      !listen(fd, 1));
	device = prepare();
	run("", output, sizeof(output));
	CHECK(strstr(output, "a confined child has no such sockets"));
	CHECK(strstr(output, "leave it out"));
	CHECK(!strstr(output, "ok startup_ns="));
	mitosis_close(device);
	device = prepare_without(fd);
	launch("lazy", "");
	mitosis_close(device);
	close(fd);
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

/* Returns in the first process of a PID namespace, with two threads, which ends with its parent. */
static void prepare_as_first(void *argument)
{
	pthread_t thread;
	pid_t pid;

	CHECK(!unshare(CLONE_NEWPID | CLONE_NEWNS));
	pid = fork();
	CHECK(pid >= 0);
	while (pid)
		pause();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("proc", "/proc", "proc", 0, NULL));
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, argument));
	prepare();
}

/* As in a container of Docker without an init: SECURITY.md. */
static void first_process_is_refused(void)
{
	pid_t parent = start_waiting(prepare_as_first, NULL);
	struct mitosis *device = open_user();
	char output[4096];

	run("", output, sizeof(output));
	CHECK(strstr(output,
		     "comes from the first process of a PID namespace: no child "
		     "of it can be confined"));
	CHECK(!strstr(output, "ok startup_ns="));
	kill_and_reap(parent);
	CHECK_SOON(!find_snapshot(device, atoi(ID)).handler_id, 20000);
	mitosis_close(device);
}

/* With SIGKILL, while a child is in the container. */
static void killed_launcher_leaves_nothing(void)
{
	char path[512], text[256];
	int in[2], out[2], mounts = mount_count();
	struct mitosis *device;
	struct pollfd p;
	pid_t pid, holder;
	ssize_t n;

	stays = true;
	device = prepare();
	snprintf(path, sizeof(path), "%s/mitosis-launcher",
		 getenv("MITOSIS_TEST_BIN"));
	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, "--driven", "--container", "strict",
		      "--handler-id", ID, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	CHECK(write(in[1], "launch\n", 7) == 7);
	p = (struct pollfd){ .fd = out[0], .events = POLLIN };
	do {
		CHECK(poll(&p, 1, PATIENCE_MS) == 1);
		n = read(out[0], text, sizeof(text) - 1);
		CHECK(n > 0);
		text[n] = '\0';
		fputs(text, stdout);
	} while (!strstr(text, "stays"));
	holder = find_process("mitosis-holder", pid);
	CHECK(holder > 0);
	kill_and_reap(pid);
	CHECK_SOON(!alive(holder), PATIENCE_MS);
	/* The child had the other end. */
	CHECK(poll(&p, 1, PATIENCE_MS) == 1);
	CHECK_EQ(read(out[0], text, sizeof(text)), 0);
	CHECK_EQ(mount_count(), mounts);
	close(in[1]);
	close(out[0]);
	mitosis_close(device);
	stays = false;
}

/* Services of the host, which a child must not reach. */
static void make_services(void)
{
	struct sockaddr_in loopback = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(loopback);
	int port = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	pid_t holder;

	CHECK(!bind(port, (void *)&loopback, size) && !listen(port, 4));
	CHECK(!getsockname(port, (void *)&loopback, &size));
	outside.port = ntohs(loopback.sin_port);
	snprintf(outside.socket_path, sizeof(outside.socket_path),
		 "/tmp/mitosis-strict-%d.socket", getpid());
	strcpy(local.sun_path, outside.socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(fd, (void *)&local, sizeof(local)) && !listen(fd, 4));
	CHECK(!chmod(outside.socket_path, 0777));
	/* Another process has them: their parent has no confined children. */
	holder = fork();
	CHECK(holder >= 0);
	while (!holder) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	outside.pid = holder; /* the test's own may be the child's, too */
	close(port);
	close(fd);
}

static void remove_socket(void)
{
	if (getpid() == test)
		unlink(outside.socket_path);
}

static void make_memory(void)
{
	char path[] = "/var/tmp/mitosis-strict.XXXXXX";
	int fd = mkstemp(path);
	size_t i;

	CHECK(fd >= 0 && !fchmod(fd, 0666) && !ftruncate(fd, PAGE));
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED && shared != MAP_FAILED);
	close(fd);
	strcpy(shared, "parent's");
	for (i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1 + i % 251;
	/* For as long as this test runs, children could find it. */
	CHECK(!unlink(path));
}

/* Ends the test where root may not make namespaces, mount, or map user ids. */
static void need_all_rights(void)
{
	unsigned int first = 1, outside_first = 1, count = 0;
	FILE *map = fopen("/proc/self/uid_map", "re");
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
			      CLONE_NEWUTS | CLONE_NEWIPC) ||
		      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		      mount("tmpfs", "/tmp", "tmpfs", 0, NULL) ||
		      unshare(CLONE_NEWUSER));
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status || geteuid())
		skip("needs root with the right to make namespaces and to mount");
	if (!map || fscanf(map, "%u %u %u", &first, &outside_first, &count) != 3 ||
	    first || outside_first || count != ~0u)
		skip("needs the initial user namespace");
	fclose(map);
}

int main(void)
{
	static const char *const modes[] = { "lazy", "eager", "cached" };
	struct machine machine;
	struct mitosis *device;
	char where[160];
	unsigned int m;
	int mounts, processes;

	need_userfaultfd();
	need_all_rights();
	use_key("key");
	test = getpid();
	make_services();
	atexit(remove_socket);
	make_memory();
	mounts = mount_count();
	/* A directory of the host's that whatever started the launcher left open. */
	CHECK(dup2(open("/", O_RDONLY | O_DIRECTORY), LEAKED_FD) == LEAKED_FD);

	/* A child has its parent's directory where its container has it, too. */
	CHECK(!chdir("/usr/lib"));
	outside.directory = "/usr/lib";
	device = prepare();
	processes = process_count();
	for (m = 0; m < 3; m++)
		launch(modes[m], "");
	launch("lazy", "--root /usr/..");
	within = A_CHROOT;
	refused("--start empty", "user namespace");
	within = "";
	refused("--mode clone", "mode clone");
	refused("--backend kernel", "kernel module");
	refused("--start empty --root /proc/version", "root directory");
	refused("--start empty --cgroup /proc/self",
		"no control group in /proc/self");
	refused_without_rights(become_other_user);
	refused_without_rights(drop_one_capability);
	CHECK_SOON(process_count() <= processes, 20000);
	mitosis_close(device);
	killed_launcher_leaves_nothing();
	local_socket_is_refused();
	first_process_is_refused();

	machine = machine_start(MACHINE);
	machine_enter(&machine);
	CHECK(!chdir("/sys/kernel"));
	outside.directory = "/";
	device = prepare();
	machine_leave();
	snprintf(where, sizeof(where), "--machine-id %d --address %s", MACHINE,
		 machine.address);
	for (m = 0; m < 3; m++)
		launch(modes[m], where);
	mitosis_close(device);

	strict_threads_start();
	machine_enter(&machine);
	device = prepare();
	machine_leave();
	launch("lazy", where);
	mitosis_close(device);
	machine_stop(&machine);
	device = prepare();
	launch("lazy", "");
	launch("eager", "--root /usr/..");
	refused("--own tmp", "--own and --host-name");
	CHECK_SOON(process_count() <= processes, 20000);
	mitosis_close(device);
	killed_launcher_leaves_nothing();
	CHECK_EQ(mount_count(), mounts);
	return 0;
}
