// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "local/runtime_dir.h"

/* Longer than what a process that start_waiting() forks waits for at once: it then says itself what it lacks. */
#define READY_MS 30000

/*
 * What the runner of the tests has left open would be a parent's open files, and so its
 * children's. Not again in what a test executes, which may have been passed files.
 */
static void __attribute__((constructor)) close_inherited(void)
{
	if (getenv("MITOSIS_TEST_FILES"))
		return;
	syscall(SYS_close_range, 3, ~0u, 0);
	setenv("MITOSIS_TEST_FILES", "own", 1);
}

/* What a test has said before its runner ends it is not lost in a buffer, nor said again by what it forks. */
static void __attribute__((constructor)) buffer_lines(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

void skip(const char *requirement)
{
	printf("%s\n", requirement);
	exit(77);
}

void need_userfaultfd(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		skip("needs userfaultfd and its events: root, or CAP_SYS_PTRACE");
	close(fd);
}

bool drop_a_capability(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	CHECK(!syscall(SYS_capget, &header, data));
	if (!data[0].permitted)
		return false;
	data[0].permitted &= data[0].permitted - 1;
	data[0].effective &= data[0].permitted;
	CHECK(!syscall(SYS_capset, &header, data));
	return true;
}

bool has_namespaces(void)
{
	int status = -1;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWPID | CLONE_NEWNS) != 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	return status == 0;
}

void need_namespaces(void)
{
	if (!has_namespaces())
		skip(NAMESPACES_NEEDED);
}

bool may_open(unsigned int count)
{
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	return limit.rlim_max >= count;
}

void need_open_files(unsigned int count)
{
	char needed[80];

	if (may_open(count))
		return;
	snprintf(needed, sizeof(needed),
		 "needs %u open files a process: raise ulimit -Hn", count);
	skip(needed);
}

struct mitosis *open_user(void)
{
	struct mitosis *device;

	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), 0);
	CHECK_EQ(mitosis_backend(device), MITOSIS_BACKEND_USER);
	return device;
}

struct mitosis *open_kernel(void)
{
	struct mitosis *device;
	int err = mitosis_open(MITOSIS_BACKEND_KERNEL, &device);

	if (err == -ENODEV)
		skip("needs the kernel module, as tests/qemu/run has it");
	CHECK_EQ(err, 0);
	return device;
}

struct mitosis_stat kernel_statistics(void)
{
	struct mitosis_stat s = { 0 };
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0 && !ioctl(fd, MITOSIS_IOC_STAT, &s));
	close(fd);
	return s;
}

int module_parameter(const char *name)
{
	char path[96];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/mitosis/parameters/%s", name);
	f = fopen(path, "r");
	CHECK(f && fscanf(f, "%d", &value) == 1);
	fclose(f);
	return value;
}

void set_module_parameter(const char *name, const char *value)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/mitosis/parameters/%s", name);
	f = fopen(path, "w");
	CHECK(f && fputs(value, f) >= 0 && !fclose(f));
}

pid_t start_kernel_child(uint32_t handler_id, uint32_t prefetch_pages)
{
	struct mitosis_resume_options options = {
		.mode = MITOSIS_RESUME_LAZY,
		.prefetch_pages = prefetch_pages,
	};
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (!mitosis_open(MITOSIS_BACKEND_KERNEL, &device) &&
	    !mitosis_set_resume_options(device, &options))
		mitosis_resume_local(device, handler_id);
	fprintf(stderr, "%s\n", mitosis_error());
	_exit(125);
}

uint64_t pseudo_random(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* What start_waiting() forked has not been ready: how it has ended, or that it has not. */
static void __attribute__((noreturn)) not_ready(pid_t pid, bool has_ended)
{
	int status = 0;

	if (!has_ended || waitpid(pid, &status, 0) != pid)
		printf("process %d is not ready after %d ms\n", pid, READY_MS);
	else if (WIFSIGNALED(status))
		printf("process %d has ended by signal %d before it was ready\n",
		       pid, WTERMSIG(status));
	else
		printf("process %d has ended with status %d before it was ready\n",
		       pid, WEXITSTATUS(status));
	exit(1);
}

pid_t start_waiting(void (*prepare)(void *argument), void *argument)
{
	struct pollfd p = { .events = POLLIN };
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(!pipe(ready));
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		/* A test that fails leaves it behind otherwise. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		prepare(argument);
		CHECK(write(ready[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	p.fd = ready[0];
	if (poll(&p, 1, READY_MS) != 1)
		not_ready(pid, false);
	if (read(ready[0], &byte, 1) != 1)
		not_ready(pid, true);
	close(ready[0]);
	return pid;
}

void kill_and_reap(pid_t pid)
{
	CHECK(!kill(pid, SIGKILL));
	CHECK(waitpid(pid, NULL, 0) == pid);
}

int status_within(pid_t pid, int ms)
{
	int status = -1;

	CHECK_SOON(waitpid(pid, &status, WNOHANG) == pid, ms);
	return status;
}

int run_in_mode(uint32_t handler_id, int ms, uint32_t mode)
{
	const struct mitosis_resume_options options = { .mode = mode };
	struct mitosis *device;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		device = open_user();
		CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
		mitosis_resume_local(device, handler_id);
		printf("mode %u: %s\n", mode, mitosis_error());
		fflush(stdout);
		_exit(125);
	}
	return status_within(pid, ms);
}

pid_t fork_attached(struct mitosis_attachment *attachment)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		mitosis_resume_attached(attachment);
		printf("no child: %s\n", mitosis_error());
		fflush(stdout);
		_exit(125);
	}
	return pid;
}

/* The letter of its state, as proc_pid_status(5) has it; 0: it has gone. */
static char state_of(pid_t pid)
{
	char path[64], line[256], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "State: %c", &state);
	if (f)
		fclose(f);
	return state;
}

bool alive(pid_t pid)
{
	char state = state_of(pid);

	return state && state != 'Z' && state != 'X';
}

void stop_process(pid_t pid)
{
	CHECK(!kill(pid, SIGSTOP));
	CHECK_SOON(state_of(pid) == 'T', 20000);
}

pid_t daemon_pid(void)
{
	char path[256];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/mitosisd.pid",
		 getenv("MITOSIS_RUNTIME_DIR"));
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid && alive(pid) ? pid : 0;
}

int dial_daemon(const char *dir)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	runtime_dir_address(dir, &address);
	CHECK(fd >= 0);
	CHECK(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

struct mitosis_snapshot find_snapshot(struct mitosis *device, uint32_t handler_id)
{
	static struct mitosis_snapshot all[4096];
	struct mitosis_snapshot none = { 0 };
	int i, n = mitosis_list(device, all, 4096);

	CHECK(n >= 0 && n <= 4096);
	for (i = 0; i < n; i++)
		if (all[i].handler_id == handler_id)
			return all[i];
	return none;
}

uint64_t pss_of(pid_t pid)
{
	unsigned long long kib = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %llu", &kib) == 1)
			break;
	fclose(f);
	return kib << 10;
}

int fd_count_if_alive(pid_t pid)
{
	char path[64];
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

int fd_count(pid_t pid)
{
	int n = fd_count_if_alive(pid);

	CHECK(n >= 0);
	return n;
}

int child_count(void)
{
	char path[64], line[4096];
	int n = 0;
	FILE *f;
	char *p;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	CHECK(f);
	line[0] = '\0';
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	for (p = strtok(line, " "); p; p = strtok(NULL, " "))
		n++;
	return n;
}

int mount_count(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	int c, n = 0;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

pid_t next_of_ours(DIR *proc)
{
	const char *dir = getenv("MITOSIS_RUNTIME_DIR");
	struct dirent *entry;

	while ((entry = readdir(proc))) {
		static char environment[1 << 16];
		char path[300];
		ssize_t size;
		int fd;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		size = fd < 0 ? 0 : read(fd, environment, sizeof(environment));
		if (fd >= 0)
			close(fd);
		if (size > 0 && memmem(environment, size, dir, strlen(dir)))
			return atoi(entry->d_name);
	}
	return 0;
}

int process_count(void)
{
	DIR *proc = opendir("/proc");
	int n = 0;

	CHECK(proc);
	while (next_of_ours(proc))
		n++;
	closedir(proc);
	return n;
}

void run_on_cpu(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK(!sched_setaffinity(pid, sizeof(set), &set));
}

int lines_with(const char *file, const char *text)
{
	char path[256], line[1024];
	int count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", getenv("MITOSIS_RUNTIME_DIR"), file);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		count += strstr(line, text) != NULL;
	fclose(f);
	return count;
}

/* A process of this name and parent; its start, in clock ticks since boot, or -1. */
static long long start_of(const char *pid, const char *wanted, pid_t of)
{
	char path[300], name[32] = "";
	long long start = -1;
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f,
		   "%*d (%31[^)]) %*c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %*s %*s %*s %*s %*s %lld",
		   name, &parent, &start) != 3 ||
	    parent != of || strcmp(name, wanted))
		start = -1;
	fclose(f);
	return start;
}

int count_processes(const char *wanted, pid_t of, pid_t *newest)
{
	DIR *d = opendir("/proc");
	long long start, last = -1;
	struct dirent *entry;
	int count = 0;

	*newest = 0;
	CHECK(d);
	while ((entry = readdir(d))) {
		pid_t pid = atoi(entry->d_name);

		start = pid ? start_of(entry->d_name, wanted, of) : -1;
		if (start < 0)
			continue;
		count++;
		/* Ids ascend here. Of two in one tick the lower one is newer if the kernel began anew. */
		if (start > last || (start == last && pid - *newest < 10000)) {
			last = start;
			*newest = pid;
		}
	}
	closedir(d);
	return count;
}

pid_t find_process(const char *wanted, pid_t of)
{
	pid_t newest;

	count_processes(wanted, of, &newest);
	return newest;
}

void check_error_has(const char *text)
{
	if (!strstr(mitosis_error(), text)) {
		printf("'%s' is not in: %s\n", text, mitosis_error());
		exit(1);
	}
}
