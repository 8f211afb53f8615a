// SPDX-License-Identifier: Apache-2.0
/*
 * Children of the kernel module over an RDMA device: all pages, and right. What ends RDMA
 * while a child runs is followed by TCP, without a wrong byte. Of a parent of the user
 * backend: the porter is killed or stopped; a shadow that is killed ends its child. Of one of
 * the module (MITOSIS_TEST_RDMA_PARENT=kernel): the device is removed, which a user program
 * that has it open would hold up. The module that a child uses cannot be removed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/rdma_child.h"

#define DEADLINE_MS 60000
#define PAGES	    2048ul
#define HALF	    (PAGES / 2)

/* What the module has counted since `before`, with a line that says so. */
static struct mitosis_stat since(struct mitosis_stat before)
{
	struct mitosis_stat now = kernel_statistics();

	now.pages_fetched -= before.pages_fetched;
	now.pages_by_rdma -= before.pages_by_rdma;
	now.pages_copied -= before.pages_copied;
	now.rdma_links -= before.rdma_links;
	now.rdma_fallbacks -= before.rdma_fallbacks;
	printf("pages %llu, by RDMA %llu, copied %llu; links %llu, fallbacks %llu\n",
	       now.pages_fetched, now.pages_by_rdma, now.pages_copied,
	       now.rdma_links, now.rdma_fallbacks);
	return now;
}

/* Every page comes by RDMA, into where it is mapped. */
static void nothing_happens(void)
{
	struct mitosis_stat before = kernel_statistics(), counts;
	pid_t child = rdma_child_start();

	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	counts = since(before);
	CHECK(counts.pages_by_rdma >= PAGES);
	CHECK_EQ(counts.pages_by_rdma, counts.pages_fetched);
	CHECK_EQ(counts.pages_copied, 0);
	CHECK_EQ(counts.rdma_links, 1);
	CHECK_EQ(counts.rdma_fallbacks, 0);
}

/* transport=auto, and both machines have a device. */
static void tcp_is_upgraded(void)
{
	set_module_parameter("transport", "auto");
	rdma_scheme = "tcp";
	nothing_happens();
	rdma_scheme = "rdma";
	set_module_parameter("transport", "tcp");
}

/* The only RDMA device, and its network interface. */
static char device[64], interface[64];

static void find_device(void)
{
	glob_t found;
	FILE *f;

	CHECK(!glob("/sys/class/infiniband/*/ports/1/gid_attrs/ndevs/0", 0, NULL,
		    &found));
	CHECK(found.gl_pathc == 1);
	CHECK(sscanf(found.gl_pathv[0], "/sys/class/infiniband/%63[^/]", device) ==
	      1);
	f = fopen(found.gl_pathv[0], "r");
	CHECK(f && fscanf(f, "%63s", interface) == 1);
	fclose(f);
	globfree(&found);
}

static void run_command(const char *format, const char *argument)
{
	char command[192];

	snprintf(command, sizeof(command), format, argument);
	CHECK_EQ(system(command), 0);
}

/* The other end of the pair that the device's network interface is of. */
static void find_peer(char peer[IF_NAMESIZE])
{
	char path[128];
	unsigned int index;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/iflink", interface);
	f = fopen(path, "r");
	CHECK(f && fscanf(f, "%u", &index) == 1);
	fclose(f);
	CHECK(if_indextoname(index, peer));
}

/* A port that does not lead to the machine: no page comes by RDMA over another one. */
static void nic_leads_elsewhere(void)
{
	struct mitosis_stat before = kernel_statistics(), counts;
	char peer[IF_NAMESIZE];
	pid_t child;

	find_device();
	find_peer(peer);
	run_command("rdma link add later_device type rxe netdev %s", peer);
	set_module_parameter("rdma_retry_ms", "3600000");
	rdma_nic = "%1";
	child = rdma_child_start();
	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	counts = since(before);
	CHECK(counts.pages_fetched >= PAGES);
	CHECK_EQ(counts.pages_by_rdma, 0);
	CHECK_EQ(counts.rdma_links, 0);
	rdma_nic = "%0";
	set_module_parameter("rdma_retry_ms", "0");
	nothing_happens();
	rdma_nic = "";
	run_command("timeout 30 rdma link delete %s", "later_device");
}

/* The only port by its number. There is no other one. */
static void nic_is_named(void)
{
	struct mitosis *kernel = open_kernel();

	rdma_nic = "%0";
	nothing_happens();
	rdma_nic = "";
	CHECK_EQ(mitosis_connect(kernel, RDMA_MACHINE, "rdma://10.0.0.1%9"),
		 -ENODEV);
	check_error_has("nic_id 9");
	check_error_has(" port 1 (0);");
	CHECK_EQ(mitosis_connect(kernel, RDMA_MACHINE,
				 "0000:0000:0000:0000:0000:ffff:0a00:0001%9"),
		 -ENODEV);
	check_error_has(" port 1 (0);");
	mitosis_close(kernel);
}

/* Between a child's halves RDMA ends; later there is no second attempt. */
static void rdma_ends(void (*end)(void))
{
	struct mitosis_stat before = kernel_statistics(), counts;
	pid_t child;

	set_module_parameter("rdma_retry_ms", "3600000");
	child = rdma_child_start();
	end();
	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	set_module_parameter("rdma_retry_ms", "0");
	counts = since(before);
	CHECK(counts.pages_by_rdma >= HALF && counts.pages_by_rdma < PAGES);
	CHECK(counts.pages_fetched >= PAGES);
	CHECK_EQ(counts.rdma_fallbacks, 1);
}

static pid_t stopped;

static void kill_porter(void)
{
	CHECK(!kill(rdma_porter(), SIGKILL));
}

static void stop_porter(void)
{
	stopped = rdma_porter();
	CHECK(!kill(stopped, SIGSTOP));
}

/* The first request that fails has it set up again, with a new porter. */
static void set_up_again(void)
{
	struct mitosis_stat before = kernel_statistics(), counts;
	pid_t child = rdma_child_start();

	kill_porter();
	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	CHECK_SOON(kernel_statistics().rdma_links >= before.rdma_links + 2,
		   DEADLINE_MS);
	counts = since(before);
	CHECK(counts.rdma_fallbacks > 0);
}

static int remove_module(void)
{
	return syscall(SYS_delete_module, "mitosis_rdma", O_NONBLOCK) ? -errno : 0;
}

static void module_is_held(void)
{
	pid_t child = rdma_child_start();

	CHECK_EQ(remove_module(), -EWOULDBLOCK);
	rdma_child_go();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
}

/* Returns when the module does not hold it any more, on either side. */
static void remove_device(void)
{
	find_device();
	run_command("timeout 30 rdma link delete %s", device);
}

/* It can be used when it has its GIDs. */
static void add_device(void)
{
	char command[384];

	snprintf(command, sizeof(command),
		 "rdma link add %s type rxe netdev %s && timeout 30 sh -c 'until "
		 "grep "
		 "-qs :ffff: /sys/class/infiniband/%s/ports/1/gids/*; do sleep 0.1; "
		 "done'",
		 device, interface, device);
	CHECK_EQ(system(command), 0);
}

int main(void)
{
	const char *host = getenv("MITOSIS_TEST_RDMA_HOST");

	if (!host)
		skip("needs MITOSIS_TEST_RDMA_HOST, the address of an RDMA device");
	if (access("/sys/module/mitosis_rdma", F_OK))
		skip("needs the kernel module mitosis_rdma");
	rdma_by_module = true;
	/* A request over RDMA is late after a quarter of it. */
	set_module_parameter("deadline_ms", "8000");
	set_module_parameter("rdma_wait_ms", "4000");
	set_module_parameter("rdma_retry_ms", "0");
	rdma_prepare(host);
	nothing_happens();
	tcp_is_upgraded();
	nic_is_named();
	nic_leads_elsewhere();
	module_is_held();
	if (rdma_of_module()) {
		rdma_ends(remove_device);
		add_device();
		nothing_happens();
	} else {
		rdma_ends(kill_porter);
		set_up_again();
		rdma_ends(stop_porter);
		CHECK(!kill(stopped, SIGKILL));
		CHECK_SOON(!alive(stopped), DEADLINE_MS);
		nothing_happens();
		/* Over TCP the child would notice as well: it gets no page. */
		CHECK_EQ(rdma_end_with_shadow(), SIGBUS);
	}
	rdma_end();
	return 0;
}
