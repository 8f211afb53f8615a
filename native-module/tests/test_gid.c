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

static void write_attribute(const char *device, const char *attribute, int index,
			    const char *text)
{
	static const char *const folders[] = { "",
					       "/ports",
					       "/ports/1",
					       "/ports/1/gid_attrs",
					       "/ports/1/gids",
					       "/ports/1/gid_attrs/ndevs" };
	char path[512];
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s%s", devices, device, folders[i]);
		CHECK(!mkdir(path, 0700) || errno == EEXIST);
	}
	snprintf(path, sizeof(path), "%s/%s/ports/1/%s/%d", devices, device,
		 attribute, index);
	f = fopen(path, "we");
	CHECK(f && fputs(text, f) >= 0);
	fclose(f);
}

static void write_ndev(const char *device, int index, const char *interface)
{
	write_attribute(device, "gid_attrs/ndevs", index, interface);
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

/* The devices are rxe0, which has "lo", and rxe1, which has "lo" and "other". */
static void check_nic(void)
{
	static const uint8_t peer[16] = { [10] = 0xff, [11] = 0xff, [12] = 10 };
	static const uint8_t global[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 9 };
	struct local_address address;
	struct gid_port port;
	char text[128];
	uint8_t from[16];

	CHECK_EQ(gid_to_address(LINK_LOCAL "%0", devices, &address), 0);
	CHECK_EQ(address.scope, if_nametoindex("lo"));
	CHECK_EQ(gid_to_address(LINK_LOCAL "%1", devices, &address), -ENOTUNIQ);
	check_text(IPV4 "%0", "rdma://10.0.0.2:7473%0");
	/* Shorter names are first: 2 before 10. */
	write_ndev("rxe10", 0, "lo\n");
	write_ndev("rxe2", 0, "lo\n");
	CHECK_EQ(gid_port_find(devices, 2, &port), 0);
	CHECK(!strcmp(port.device, "rxe2") && port.number == 1);
	CHECK_EQ(gid_port_find(devices, 3, &port), 0);
	CHECK(!strcmp(port.device, "rxe10"));
	CHECK_EQ(gid_port_find(devices, 4, &port), -ENODEV);
	gid_ports_to_text(devices, text, sizeof(text));
	CHECK(!strcmp(text, "rxe0 port 1 (0), rxe1 port 1 (1), rxe2 port 1 (2), "
			    "rxe10 port 1 (3)"));
	CHECK_EQ(gid_port_source(devices, &port, peer, from), -ENOENT);
	write_attribute("rxe10", "gids", 0, LINK_LOCAL "\n");
	write_attribute("rxe10", "gids", 1, IPV4 "\n");
	CHECK_EQ(gid_port_source(devices, &port, peer, from), 0);
	CHECK(from[12] == 10 && from[15] == 2);
	CHECK_EQ(gid_port_source(devices, &port, global, from), -ENOENT);
	write_attribute("rxe10", "gids", 2, GLOBAL "\n");
	CHECK_EQ(gid_port_source(devices, &port, global, from), 0);
	CHECK(from[0] == 0x20 && from[15] == 1);
}

static void check_texts_with_nic(void)
{
	struct local_address address;
	char text[LOCAL_ADDRESS_TEXT_SIZE];

	CHECK_EQ(local_address_parse("rdma://[2001:db8::1]:7000%254", &address), 0);
	local_address_to_text(&address, text);
	CHECK(!strcmp(text, "rdma://[2001:db8::1]:7000%254"));
	CHECK_EQ(local_address_parse("rdma://10.0.0.2%3", &address), 0);
	local_address_to_text(&address, text);
	CHECK(!strcmp(text, "rdma://10.0.0.2:7473%3"));
	CHECK_EQ(local_address_parse("rdma://10.0.0.2%255", &address), -EINVAL);
	CHECK_EQ(local_address_parse("rdma://10.0.0.2%x", &address), -EINVAL);
	CHECK_EQ(local_address_parse("rdma://10.0.0.2%", &address), -EINVAL);
	CHECK_EQ(local_address_parse("rdma://[::1]:7000%-1", &address), -EINVAL);
}

int main(void)
{
	struct local_address address;

	CHECK(gid_is(IPV4) && gid_is(LINK_LOCAL));
	CHECK(gid_is(IPV4 "%0") && !gid_is(IPV4 "%") && !gid_is(IPV4 "%255"));
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
	check_nic();
	check_texts_with_nic();
	return 0;
}
