// SPDX-License-Identifier: Apache-2.0
/*
 * Where no RDMA device reaches the other machine, an address of RDMA means TCP, and
 * the log says why; MITOSIS_TRANSPORT=auto means TCP without a word. Sealed sessions refuse such an address: RDMA would carry their
 * pages as they are.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "local/gid.h"
#include "tests/harness.h"
#include "tests/rdma_child.h"

/* Once, however often it was tried. */
static void log_has(const char *wanted)
{
	CHECK_EQ(lines_with("mitosisd.log", wanted), 1);
}

static void needs_handshake(void)
{
	static const char *const others[] = { "sealed", "none" };
	struct mitosis *device = open_user();
	size_t i;

	for (i = 0; i < 2; i++) {
		setenv("MITOSIS_PROTECTION", others[i], 1);
		CHECK_EQ(mitosis_connect(device, RDMA_MACHINE, "rdma://127.0.0.1:9"),
			 -EPROTOTYPE);
		check_error_has("MITOSIS_PROTECTION=handshake");
		check_error_has(others[i]);
	}
	setenv("MITOSIS_PROTECTION", "handshake", 1);
	/* The same port as on a machine of the kernel backend. */
	CHECK(mitosis_connect(device, RDMA_MACHINE, "rdma://127.0.0.1") < 0);
	check_error_has("rdma://127.0.0.1:7473");
	mitosis_close(device);
}

/* Nobody asked for RDMA, so that nothing is said of it. */
static void is_not_upgraded(void)
{
	struct gid_port port;
	int before = rdma_set_ups(false);
	/* Of a device that does not reach the machine, which is tried once. */
	int attempts = !gid_port_find(GID_DEVICES, 0, &port);
	pid_t child;

	rdma_scheme = "tcp";
	child = rdma_child_start();
	rdma_child_go();
	CHECK_EQ(status_within(child, 30000), 0);
	CHECK(rdma_count().by_tcp >= 2048);
	CHECK_EQ(rdma_set_ups(false), before + attempts);
	log_has("mitosis: no RDMA to machine 2 at ");
}

static void has_a_known_value(void)
{
	struct mitosis *device = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s/other", getenv("MITOSIS_RUNTIME_DIR"));
	setenv("MITOSIS_RUNTIME_DIR", path, 1);
	setenv("MITOSIS_TRANSPORT", "infiniband", 1);
	CHECK(mitosis_open(MITOSIS_BACKEND_USER, &device) < 0);
	check_error_has("MITOSIS_TRANSPORT must be tcp or auto, got 'infiniband'");
}

int main(void)
{
	struct rdma_counts counts;
	pid_t child;

	setenv("MITOSIS_RDMA_RETRY_MS", "0", 1);
	setenv("MITOSIS_TRANSPORT", "auto", 1);
	/*
	 * Few requests, each of which tries again: the other machine remembers a token for ten
	 * seconds, and has room for 64.
	 */
	rdma_window = 256;
	/* No device has this address. */
	rdma_prepare("127.0.0.1");
	child = rdma_child_start();
	/* Each request tries again. */
	CHECK_SOON(rdma_set_ups(false) >= 2, 30000);
	rdma_child_go();
	CHECK_EQ(status_within(child, 30000), 0);
	counts = rdma_count();
	CHECK(counts.by_tcp >= 2048);
	CHECK_EQ(counts.by_rdma, 0);
	CHECK_EQ(counts.fallbacks, 0);
	CHECK_EQ(rdma_count_all().by_tcp, counts.by_tcp);
	CHECK_EQ(rdma_count_all().by_rdma, 0);
	log_has("mitosis: no RDMA to machine 2 at rdma://127.0.0.1:");
	is_not_upgraded();
	needs_handshake();
	rdma_end();
	has_a_known_value();
	return 0;
}
