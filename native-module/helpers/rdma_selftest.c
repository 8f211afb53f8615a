// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-rdma-selftest: a parent whose children check every byte of their memory, in two
 * halves, and time what a missing page takes; between the halves, what serves their pages
 * can be killed or stopped here.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/command_line.h"
#include "libmitosis.h"

#define PAGE	      4096ul
#define WINDOW	      64u /* pages: the usual prefetch */
#define WINDOWS	      64u
#define HALF	      (WINDOWS / 2)
#define WORDS	      (WINDOW * PAGE / sizeof(uint64_t)) /* of a window */
#define SNAPSHOTS_MAX 4096u
/* Visits them in an order that is not read ahead; odd. */
#define STRIDE 13u

static const char usage[] =
	"usage: mitosis-rdma-selftest [options]\n"
	"\n"
	"Prepares a snapshot of 16 MiB, and prints a line. Takes commands from "
	"standard\n"
	"input, one a line, each answered by a line: kill-porter, stop-porter, "
	"kill-shadow,\n"
	"quit. A child of it prints 'ok half=1' when half of its memory was what "
	"it should\n"
	"be, waits for a line, and prints of the other half the number of wrong "
	"words and,\n"
	"in ns, the median and the largest time of the first access to 64 pages.\n"
	"\n"
	"  --handler-id N        key of the snapshot (default 73)\n"
	"  --backend NAME        auto (default), kernel or user\n"
	"  --version             print the release and exit\n";

static uint64_t *memory;

static uint64_t word_of(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ull;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Checks the windows of a half; the first access to each takes ns[]. */
static uint64_t check_half(unsigned int half, uint64_t ns[HALF])
{
	uint64_t wrong = 0, start, i;
	unsigned int n;

	for (n = 0; n < HALF; n++) {
		uint64_t from = ((n * STRIDE) % HALF + half * HALF) * WORDS;

		start = now_ns();
		wrong += ((volatile uint64_t *)memory)[from] != word_of(from);
		ns[n] = now_ns() - start;
		for (i = from; i < from + WORDS; i++)
			wrong += memory[i] != word_of(i);
	}
	qsort(ns, HALF, sizeof(*ns), compare);
	return wrong;
}

/* Without stdio: that may hold what its parent has read. */
static void __attribute__((noreturn)) be_child(void)
{
	uint64_t ns[HALF];
	uint64_t wrong = check_half(0, ns);
	char go;

	dprintf(STDOUT_FILENO, "ok half=1 wrong=%llu\n", (unsigned long long)wrong);
	if (read(STDIN_FILENO, &go, 1) != 1)
		_exit(1);
	wrong += check_half(1, ns);
	dprintf(STDOUT_FILENO, "ok wrong=%llu median_ns=%llu max_ns=%llu\n",
		(unsigned long long)wrong, (unsigned long long)ns[HALF / 2],
		(unsigned long long)ns[HALF - 1]);
	_exit(wrong != 0);
}

static void fill(void)
{
	size_t size = WINDOWS * WINDOW * PAGE, window = WINDOW * PAGE;
	char *room = mmap(NULL, size + window, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t i;

	if (room == MAP_FAILED)
		die(1, "no memory: %s", strerror(errno));
	memory = (uint64_t *)(((uintptr_t)room + window - 1) & ~(window - 1));
	/* A huge page would be more than a window. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (i = 0; i < WINDOWS * WORDS; i++)
		memory[i] = word_of(i);
}

/* Of the snapshot; 0 without one, or if it is the module's. */
static pid_t find_shadow(struct mitosis *device, uint32_t handler_id)
{
	static struct mitosis_snapshot all[SNAPSHOTS_MAX];
	int i, n = mitosis_list(device, all, SNAPSHOTS_MAX);

	for (i = 0; i < n && i < (int)SNAPSHOTS_MAX; i++)
		if (all[i].handler_id == handler_id)
			return all[i].shadow_pid;
	return 0;
}

static pid_t find_daemon(void)
{
	const char *dir = getenv("MITOSIS_RUNTIME_DIR");
	char path[512];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/mitosisd.pid", dir ? dir : "/run/mitosis");
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%d", &pid) != 1)
			pid = 0;
		fclose(f);
	}
	return pid;
}

static bool is_porter(const char *number, pid_t daemon)
{
	char path[300], name[32] = "";
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", number);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%31[^)]) %*c %d", name, &parent) != 2)
		parent = 0;
	fclose(f);
	return parent == daemon && !strcmp(name, "mitosis-porter");
}

/* A daemon has one; 0 without. */
static pid_t find_porter(void)
{
	pid_t daemon = find_daemon(), porter = 0;
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && daemon && !porter && (entry = readdir(processes)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9' &&
		    is_porter(entry->d_name, daemon))
			porter = atoi(entry->d_name);
	if (processes)
		closedir(processes);
	return porter;
}

/* Returns whether there is one. */
static bool signal_to(const char *what, pid_t pid, int signal)
{
	bool there = pid > 0 && !kill(pid, signal);

	if (there)
		puts("ok");
	else
		printf("error errno=%d message=there is no %s\n", ESRCH, what);
	return there;
}

static void serve(pid_t shadow)
{
	pid_t stopped = 0, porter;
	char line[64];

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n")) {
		line[strcspn(line, "\n")] = '\0';
		porter = find_porter();
		if (!strcmp(line, "kill-porter"))
			signal_to("porter", porter, SIGKILL);
		else if (!strcmp(line, "stop-porter"))
			stopped = signal_to("porter", porter, SIGSTOP) * porter;
		else if (!strcmp(line, "kill-shadow"))
			signal_to("shadow", shadow, SIGKILL);
		else
			printf("error errno=%d message='%s' is no command\n", EINVAL,
			       line);
		fflush(stdout);
	}
	/* It cannot notice that its daemon ends. */
	if (stopped && stopped == find_porter())
		kill(stopped, SIGKILL);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "handler-id", required_argument, NULL, 'i' },
		{ "backend", required_argument, NULL, 'b' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	uint32_t handler_id = HANDLER_ID_DEFAULT;
	int backend = MITOSIS_BACKEND_AUTO, option;
	struct mitosis *device;
	pid_t self = getpid();

	while ((option = next_option(argc, argv, names)) != -1) {
		switch (option) {
		case 'i':
			handler_id = parse_handler_id(optarg);
			break;
		case 'b':
			backend = parse_backend(optarg);
			break;
		default:
			answer_and_exit(option, usage);
		}
	}
	refuse_arguments(argc, argv);
	fill();
	if (mitosis_open(backend, &device) || mitosis_prepare(device, handler_id))
		die(1, "%s", mitosis_error());
	if (getpid() != self)
		be_child();
	printf("ok handler=%u\n", handler_id);
	fflush(stdout);
	serve(find_shadow(device, handler_id));
	mitosis_close(device);
	return 0;
}
