// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-criu-target: what CRIU dumps and restores, to be measured beside a resumed
 * child. Linked statically and alone in its session, so that CRIU needs to be
 * told nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096
#define LOOK_NS 50000

static const char usage[] = "usage: mitosis-criu-target BYTES FOLDER\n"
			    "\n"
			    "Fills BYTES of memory, makes the file FOLDER/ready, "
			    "and looks for the file\n"
			    "FOLDER/go every 50 us. Once it is there, reads a byte "
			    "of each page and writes\n"
			    "two numbers to FOLDER/result: when it saw the file and "
			    "when it had read all, in\n"
			    "ns since 1970 (CLOCK_REALTIME: the monotonic clock of "
			    "a restored process has\n"
			    "an offset of its own). Ends with exit code 3 if a page "
			    "holds something else.\n";

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static unsigned char byte_of(uint64_t page)
{
	return page % 251 + 1;
}

static int make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int report(uint64_t first_ns, uint64_t touched_ns)
{
	FILE *file = fopen("result.new", "we");

	if (!file)
		return -errno;
	fprintf(file, "%" PRIu64 " %" PRIu64 "\n", first_ns, touched_ns);
	if (fclose(file) || rename("result.new", "result"))
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	const pid_t starter = getppid();
	volatile unsigned char *memory;
	uint64_t bytes, page, first_ns;
	char *end;

	if (argc != 3) {
		fputs(usage, stderr);
		return 2;
	}
	errno = 0;
	bytes = strtoull(argv[1], &end, 10);
	if (errno || *end || !bytes || argv[1][0] == '-') {
		fprintf(stderr,
			"mitosis-criu-target: BYTES is a number above 0, not '%s'\n",
			argv[1]);
		return 2;
	}
	/* Fails for the leader of a process group, which leads a session already. */
	setsid();
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || chdir(argv[2])) {
		fprintf(stderr, "mitosis-criu-target: %s: %s\n", argv[2],
			strerror(errno));
		return 1;
	}
	for (page = 0; page * PAGE < bytes; page++)
		memory[page * PAGE] = byte_of(page);
	if (make("ready"))
		return 1;
	while (access("go", F_OK)) {
		/* Its starter has ended: no process can dump or end it. */
		if (getppid() != starter)
			return 0;
		nanosleep(&look, NULL);
	}
	first_ns = realtime_ns();
	for (page = 0; page * PAGE < bytes; page++)
		if (memory[page * PAGE] != byte_of(page))
			return 3;
	return report(first_ns, realtime_ns()) ? 1 : 0;
}
