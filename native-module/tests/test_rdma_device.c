// SPDX-License-Identifier: Apache-2.0
/*
 * Pages over an RDMA device: all of them, and right. What ends it on the server's side
 * while a child runs is followed by TCP, without a wrong byte; a shadow that is killed
 * ends its child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/harness.h"
#include "tests/rdma_child.h"

#define DEADLINE_MS 60000

static void nothing_happens(void)
{
	struct rdma_counts counts;
	pid_t child = rdma_child_start();

	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	counts = rdma_count();
	CHECK(counts.by_rdma >= 2048);
	CHECK_EQ(counts.by_tcp, 0);
	CHECK_EQ(counts.fallbacks, 0);
}

/* The only port by its number; there is no other one. */
static void nic_is_named(void)
{
	struct mitosis *device = open_user();

	rdma_nic = "%0";
	nothing_happens();
	rdma_nic = "";
	CHECK_EQ(mitosis_connect(device, RDMA_MACHINE, "rdma://10.0.0.1%9"),
		 -ENODEV);
	check_error_has("nic_id 9");
	check_error_has(" port 1 (0);");
	mitosis_close(device);
}

/* MITOSIS_TRANSPORT=auto, and both machines have a device. */
static void tcp_is_upgraded(void)
{
	rdma_scheme = "tcp";
	nothing_happens();
	rdma_scheme = "rdma";
}

/* A signal to the porter between a child's two halves. */
static void porter_gets(int signal)
{
	struct rdma_counts counts;
	pid_t child = rdma_child_start();
	pid_t pid = rdma_porter();

	CHECK(!kill(pid, signal));
	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	counts = rdma_count();
	CHECK(counts.by_rdma > 0);
	CHECK(counts.by_tcp > 0);
	CHECK(counts.fallbacks > 0);
	kill(pid, SIGKILL);
	CHECK_SOON(!alive(pid), DEADLINE_MS);
}

/* Its porter is killed: after the first request that fails, there is another one. */
static void set_up_again(void)
{
	int before = rdma_set_ups(true);
	struct rdma_counts counts;
	pid_t first = rdma_child_start(), second;

	CHECK(!kill(rdma_porter(), SIGKILL));
	second = rdma_child_start();
	CHECK_SOON(rdma_set_ups(true) == before + 2, DEADLINE_MS);
	rdma_child_go();
	rdma_child_go();
	CHECK_EQ(status_within(first, DEADLINE_MS), 0);
	CHECK_EQ(status_within(second, DEADLINE_MS), 0);
	counts = rdma_count();
	/* A half of the first child, and the other halves of both. */
	CHECK(counts.by_rdma >= 3 * 1024);
	CHECK(counts.by_tcp > 0);
	CHECK(counts.fallbacks > 0);
	CHECK(rdma_count_all().by_rdma >= counts.by_rdma);
}

int main(void)
{
	const char *host = getenv("MITOSIS_TEST_RDMA_HOST");

	if (!host)
		skip("needs MITOSIS_TEST_RDMA_HOST, the address of an RDMA device");
	/* A request over RDMA is late after a quarter of it. */
	setenv("MITOSIS_DEADLINE_MS", "8000", 1);
	setenv("MITOSIS_RDMA_RETRY_MS", "0", 1);
	setenv("MITOSIS_TRANSPORT", "auto", 1);
	rdma_prepare(host);
	nothing_happens();
	tcp_is_upgraded();
	nic_is_named();
	porter_gets(SIGKILL);
	set_up_again();
	porter_gets(SIGSTOP);
	nothing_happens();
	rdma_end_with_shadow();
	rdma_end();
	return 0;
}
