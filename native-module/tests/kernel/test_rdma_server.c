// SPDX-License-Identifier: Apache-2.0
/*
 * Snapshots of the kernel module over an RDMA device, for children of the user backend: all
 * pages, and right. mitosis_rdma can be removed under its clients: they go on over TCP.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/rdma_child.h"

#define DEADLINE_MS 60000
#define PAGES	    2048ul

static void nothing_happens(void)
{
	struct mitosis_stat before = kernel_statistics(), after;
	struct rdma_counts counts;
	pid_t child = rdma_child_start();

	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	counts = rdma_count();
	after = kernel_statistics();
	CHECK(counts.by_rdma >= PAGES);
	CHECK_EQ(counts.by_tcp, 0);
	CHECK_EQ(counts.fallbacks, 0);
	CHECK(after.pages_served_by_rdma - before.pages_served_by_rdma >=
	      counts.by_rdma);
	CHECK_EQ(after.pages_copied, before.pages_copied);
}

static void module_is_removed(void)
{
	struct rdma_counts counts;
	pid_t child = rdma_child_start();

	CHECK_EQ(syscall(SYS_delete_module, "mitosis_rdma", O_NONBLOCK), 0);
	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	counts = rdma_count();
	CHECK(counts.by_rdma >= PAGES / 2);
	CHECK(counts.by_tcp > 0);
	CHECK(counts.fallbacks > 0);
}

int main(void)
{
	const char *host = getenv("MITOSIS_TEST_RDMA_HOST");

	if (!host)
		skip("needs MITOSIS_TEST_RDMA_HOST, the address of an RDMA device");
	if (access("/sys/module/mitosis_rdma", F_OK))
		skip("needs the kernel module mitosis_rdma");
	setenv("MITOSIS_TEST_RDMA_PARENT", "kernel", 1);
	rdma_prepare(host);
	nothing_happens();
	module_is_removed();
	rdma_end();
	return 0;
}
