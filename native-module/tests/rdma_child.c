// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/rdma_child.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define PAGE	    4096ul
#define PAGES	    2048ul
#define DEADLINE_MS 60000
/* Exit statuses of a child. */
#define WRONG_BYTE 21
#define NO_CHILD   22

struct machine rdma_machine;
pid_t rdma_shadow;
const char *rdma_scheme = "rdma", *rdma_nic = "";
uint32_t rdma_window = 16;
bool rdma_by_module;

static struct mitosis *parent, *local;
static unsigned long *memory;
static int half[2], go[2];
static int ended; /* pagers whose end has been seen */

static unsigned long word_of(unsigned long i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ul;
}

static void check_words(unsigned long from, unsigned long to)
{
	unsigned long i;

	for (i = from; i < to; i++)
		if (((volatile unsigned long *)memory)[i] != word_of(i))
			_exit(WRONG_BYTE);
}

static void __attribute__((noreturn)) be_child(void)
{
	unsigned long words = PAGES * PAGE / sizeof(long);
	char byte;

	check_words(0, words / 2);
	if (write(half[1], "h", 1) != 1 || read(go[0], &byte, 1) != 1)
		_exit(NO_CHILD);
	check_words(words / 2, words);
	_exit(0);
}

static struct mitosis *open_local(void)
{
	return rdma_by_module ? open_kernel() : open_user();
}

bool rdma_of_module(void)
{
	const char *backend = getenv("MITOSIS_TEST_RDMA_PARENT");

	return backend && !strcmp(backend, "kernel");
}

/* Opens the devices of both machines; that of the parent may be the module's. */
static void start_parent_machine(const char *host)
{
	if (rdma_of_module()) {
		snprintf(rdma_machine.address, sizeof(rdma_machine.address),
			 "tcp://%s:%s", host,
			 strrchr(getenv("MITOSIS_TEST_MODULE_ADDRESS"), ':') + 1);
		parent = open_kernel();
		local = open_local();
		return;
	}
	rdma_machine = machine_start_at(RDMA_MACHINE, host);
	local = open_local();
	machine_enter(&rdma_machine);
	parent = open_user();
	machine_leave();
}

void rdma_prepare(const char *host)
{
	pid_t self = getpid();
	unsigned long i;

	need_userfaultfd();
	CHECK(!pipe(half) && !pipe(go));
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	/* khugepaged would move pages whose frames a test compares. */
	CHECK(!madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE));
	for (i = 0; i < PAGES * PAGE / sizeof(long); i++)
		memory[i] = word_of(i);
	setenv("MITOSIS_PROTECTION", "handshake", 1);
	setenv("MITOSIS_TRACE", "1", 1);
	setenv("MITOSIS_IDLE_MS", "50", 1);
	setenv("MITOSIS_RDMA_WAIT_MS", "4000", 1);
	/* The module has its own. */
	if (!rdma_by_module && !rdma_of_module())
		use_key("rdma");
	start_parent_machine(host);
	CHECK_EQ(mitosis_prepare(parent, RDMA_ID), 0);
	if (getpid() != self)
		be_child();
	if (!rdma_of_module())
		rdma_shadow = find_snapshot(parent, RDMA_ID).shadow_pid;
	/* What the children read is not what the parent has now, but for some pages. */
	memset(memory + RDMA_KEPT * PAGE / sizeof(long), 0,
	       (PAGES - RDMA_KEPT) * PAGE);
}

const void *rdma_memory(void)
{
	return memory;
}

bool rdma_is_memory(const void *bytes, size_t offset, size_t size)
{
	size_t i;

	for (i = 0; i < size / sizeof(long); i++)
		if (((const unsigned long *)bytes)[i] !=
		    word_of(offset / sizeof(long) + i))
			return false;
	return true;
}

static uint32_t machine_id(void)
{
	return rdma_of_module() ? (uint32_t)module_parameter("machine_id")
				: RDMA_MACHINE;
}

pid_t rdma_child_start(void)
{
	const struct mitosis_resume_options options = { MITOSIS_RESUME_LAZY,
							rdma_window };
	struct pollfd p = { .fd = half[0], .events = POLLIN };
	struct mitosis *device;
	char address[80], byte;
	pid_t pid;

	snprintf(address, sizeof(address), "%s%s%s", rdma_scheme,
		 rdma_machine.address + strlen("tcp"), rdma_nic);
	CHECK_EQ(mitosis_connect(local, machine_id(), address), 0);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		device = open_local();
		CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
		mitosis_resume_remote(device, machine_id(), RDMA_ID);
		puts(mitosis_error());
		exit(NO_CHILD);
	}
	CHECK(poll(&p, 1, DEADLINE_MS) == 1 && read(half[0], &byte, 1) == 1);
	return pid;
}

void rdma_child_go(void)
{
	CHECK(write(go[1], "g", 1) == 1);
}

pid_t rdma_porter(void)
{
	pid_t pid = find_process("mitosis-porter", rdma_machine.pid);

	CHECK(pid > 0);
	return pid;
}

int rdma_end_with_shadow(void)
{
	pid_t child = rdma_child_start();
	int status;

	CHECK(!kill(rdma_shadow, SIGKILL));
	rdma_child_go();
	status = status_within(child, DEADLINE_MS);
	if (!WIFSIGNALED(status)) {
		printf("the child's status is %#x\n", status);
		exit(1);
	}
	return WTERMSIG(status);
}

/* Reads the counts of the pager that ended as the `number`th. */
static bool read_counts(int number, struct rdma_counts *counts)
{
	char path[256], line[512];
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "%s/mitosis.trace",
		 getenv("MITOSIS_RUNTIME_DIR"));
	f = fopen(path, "re");
	while (f && number && fgets(line, sizeof(line), f)) {
		at = strstr(line, ": ends pages_by_tcp=");
		if (at && sscanf(at,
				 ": ends pages_by_tcp=%lu pages_by_rdma=%lu "
				 "fallbacks=%lu",
				 &counts->by_tcp, &counts->by_rdma,
				 &counts->fallbacks) == 3)
			number--;
	}
	if (f)
		fclose(f);
	return !number;
}

struct rdma_counts rdma_count(void)
{
	struct rdma_counts counts;

	ended++;
	CHECK_SOON(read_counts(ended, &counts), DEADLINE_MS);
	printf("pages by TCP %lu, by RDMA %lu; fallbacks %lu\n", counts.by_tcp,
	       counts.by_rdma, counts.fallbacks);
	return counts;
}

int rdma_set_ups(bool success)
{
	char path[256], line[512];
	const char *at;
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/mitosis.trace",
		 getenv("MITOSIS_RUNTIME_DIR"));
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, "has set RDMA up status=");
		n += at && !strncmp(at + strlen("has set RDMA up status="), "0\n",
				    2) == success;
	}
	if (f)
		fclose(f);
	return n;
}

struct rdma_counts rdma_count_all(void)
{
	uint64_t counts[4];
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pages", getenv("MITOSIS_RUNTIME_DIR"));
	f = fopen(path, "re");
	CHECK(f && fread(counts, sizeof(counts), 1, f) == 1);
	fclose(f);
	return (struct rdma_counts){ counts[0], counts[1], counts[2] };
}

void rdma_end(void)
{
	pid_t daemon = daemon_pid();

	mitosis_close(local);
	mitosis_close(parent);
	if (!rdma_of_module())
		machine_stop(&rdma_machine);
	/* This machine's stays while it has a session, and the module's does not end. */
	else if (!rdma_by_module && daemon > 0)
		kill(daemon, SIGTERM);
}
