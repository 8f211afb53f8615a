// SPDX-License-Identifier: Apache-2.0
/*
 * A child that reads maps the shadow's own pages; with MITOSIS_OPTION_COPY, or the
 * module's parameter copy, it gets its own copy of each. The module's counters show
 * which of the two happened.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID    75
#define PAGE  4096
#define PAGES 512
/* Limit of other pages that a child touches: stack, data, libraries. */
#define OTHER_PAGES 128

#define PARAMETER "/sys/module/mitosis/parameters/copy"

static volatile char *memory;

static void set_parameter(const char *value)
{
	int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, value, 1) == 1);
	close(fd);
}

/* Runs a child that reads all pages. NULL: with the module's default options. */
static void run_child(const struct mitosis_options *options)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

		if (!options || !ioctl(fd, MITOSIS_IOC_SET_OPTIONS, options))
			ioctl(fd, MITOSIS_RESUME_LOCAL, ID);
		_exit(125);
	}
	CHECK_EQ(status_within(pid, 10000), 0);
}

static void expect(const struct mitosis_options *options, bool copies)
{
	struct mitosis_stat before = kernel_statistics(), after;
	long shared, copied;

	run_child(options);
	after = kernel_statistics();
	shared = after.pages_shared - before.pages_shared;
	copied = after.pages_copied - before.pages_copied;
	printf("%ld pages shared, %ld copied\n", shared, copied);
	if (copies) {
		CHECK_EQ(shared, 0);
		CHECK(copied >= PAGES && copied <= PAGES + OTHER_PAGES);
	} else {
		CHECK(shared >= PAGES);
		CHECK(copied <= OTHER_PAGES);
	}
}

static void share_again(void)
{
	set_parameter("N");
}

int main(void)
{
	static const struct mitosis_options share = { .prefetch_pages = 16 };
	static const struct mitosis_options copy = {
		.flags = MITOSIS_OPTION_COPY,
		.prefetch_pages = 16,
	};
	static const struct mitosis_options copy_eagerly = {
		.flags = MITOSIS_OPTION_COPY | MITOSIS_OPTION_EAGER,
		.prefetch_pages = 16,
	};
	struct mitosis *device = open_kernel();
	pid_t parent = getpid();
	int i, correct = 0;

	if (geteuid())
		skip("needs root, to set the module's parameter copy");
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memset((char *)memory, 'p', PAGES * PAGE);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != parent) {
		for (i = 0; i < PAGES; i++)
			correct += memory[i * PAGE] == 'p';
		_exit(correct == PAGES ? 0 : 1);
	}
	expect(&share, false);
	expect(&copy, true);
	expect(&share, false);
	expect(NULL, false);
	/* Reset the parameter for later tests even if this one fails. */
	CHECK(!atexit(share_again));
	set_parameter("Y");
	expect(NULL, true);
	expect(&share, false);
	set_parameter("N");
	expect(NULL, false);
	expect(&copy_eagerly, true);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
	return 0;
}
