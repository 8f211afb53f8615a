// SPDX-License-Identifier: Apache-2.0
/* Addresses of machines that are named by a GID, with folders that imitate sysfs. */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local/address.h"
#include "local/gid.h"
#include "tests/harness.h"

#define IPV4	   "0000:0000:0000:0000:0000:ffff:0a00:0002"
#define GLOBAL	   "2001:0db8:0000:0000:0000:0000:0000:0001"
#define LINK_LOCAL "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c"

static char devices[256];

static void write_ndev(const char *device, int index, const char *interface)
{
	static const char *const folders[] = { "", "/ports", "/ports/1",
					       "/ports/1/gid_attrs",
					       "/ports/1/gid_attrs/ndevs" };
	char path[512];
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s%s", devices, device, folders[i]);
		CHECK(!mkdir(path, 0700) || errno == EEXIST);
	}
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%d", index);
	f = fopen(path, "we");
	CHECK(f && fputs(interface, f) >= 0);
	fclose(f);
}

static void check_text(const char *gid, const char *expected)
{
	char text[LOCAL_ADDRESS_TEXT_SIZE];
	struct local_address address;

	CHECK_EQ(gid_to_address(gid, devices, &address), 0);
	local_address_to_text(&address, text);
	if (strcmp(text, expected)) {
		printf("%s is %s, not %s\n", gid, text, expected);
		exit(1);
	}
}

int main(void)
{
	struct local_address address;

	CHECK(gid_is(IPV4) && gid_is(LINK_LOCAL));
	CHECK(!gid_is("fe80::1") && !gid_is(IPV4 "0") && !gid_is(""));
	snprintf(devices, sizeof(devices), "%s.devices",
		 getenv("MITOSIS_RUNTIME_DIR"));
	CHECK_EQ(gid_to_address(IPV4, devices, &address), -ENODEV);
	CHECK(!mkdir(devices, 0700));
	CHECK_EQ(gid_to_address(IPV4, devices, &address), -ENODEV);
	/* A place in the table that has no GID; loopback is there on every machine. */
	write_ndev("rxe0", 0, "");
	check_text(IPV4, "rdma://10.0.0.2:7473");
	check_text(GLOBAL, "rdma://[2001:db8::1]:7473");
	CHECK_EQ(gid_to_address(LINK_LOCAL, devices, &address), -ENOTUNIQ);
	write_ndev("rxe0", 1, "lo\n");
	write_ndev("rxe1", 0, "lo\n");
	check_text(LINK_LOCAL, "rdma://[fe80::ec0d:9a03:ca:2f4c]:7473");
	CHECK_EQ(gid_to_address(LINK_LOCAL, devices, &address), 0);
	CHECK_EQ(address.scope, if_nametoindex("lo"));
	write_ndev("rxe1", 1, "other\n");
	CHECK_EQ(gid_to_address(LINK_LOCAL, devices, &address), -ENOTUNIQ);
	check_text(IPV4, "rdma://10.0.0.2:7473");
	return 0;
}
