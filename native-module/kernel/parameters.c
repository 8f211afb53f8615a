// SPDX-License-Identifier: GPL-2.0
#include "parameters.h"

#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>

#define OPTIONS_KNOWN (MITOSIS_OPTION_EAGER | MITOSIS_OPTION_CACHE | MITOSIS_OPTION_COPY)

unsigned int mitosis_machine_id;
module_param_named(machine_id, mitosis_machine_id, uint, 0444);
MODULE_PARM_DESC(machine_id, "Id of this machine, 0 to 2147483647");
module_param_named(mac_id, mitosis_machine_id, uint, 0444);
MODULE_PARM_DESC(mac_id, "Alias of machine_id, for scripts of the original module");

char *mitosis_listen = "";
module_param_named(listen, mitosis_listen, charp, 0444);
MODULE_PARM_DESC(listen, "Address to serve other machines at, tcp://address:port; empty: none");

char *mitosis_key_file = "/etc/mitosis/key";
module_param_named(key_file, mitosis_key_file, charp, 0400);
MODULE_PARM_DESC(key_file,
		 "File of the pre-shared key: 16 to 4096 bytes, owned by root, mode 0600");

char *mitosis_protection = "sealed";
module_param_named(protection, mitosis_protection, charp, 0444);
MODULE_PARM_DESC(protection,
		 "Of sessions between machines, the same on all: sealed, handshake (not "
		 "encrypted) or none; none needs loopback addresses or "
		 "private_network=1");

bool mitosis_private_network;
module_param_named(private_network, mitosis_private_network, bool, 0444);
MODULE_PARM_DESC(private_network,
		 "Allow protection=none with any address: the network must be trusted");

bool mitosis_selftest;
module_param_named(selftest, mitosis_selftest, bool, 0444);
MODULE_PARM_DESC(selftest, "Run the self-test at load time; loading fails if it fails");

static unsigned int snapshots_per_user = 256;
module_param(snapshots_per_user, uint, 0644);
MODULE_PARM_DESC(snapshots_per_user, "Snapshots that a user without CAP_SYS_RESOURCE may have");

static unsigned int snapshot_percent_per_user = 25;
module_param(snapshot_percent_per_user, uint, 0644);
MODULE_PARM_DESC(snapshot_percent_per_user,
		 "Memory of the snapshots of such a user, and of pages kept from other machines, "
		 "percent of this machine's");

static unsigned int connections = 4096;
module_param(connections, uint, 0644);
MODULE_PARM_DESC(connections, "Connections of other machines that are served at a time");

static unsigned int connections_per_machine = 2048;
module_param(connections_per_machine, uint, 0644);
MODULE_PARM_DESC(connections_per_machine, "Of these, from one address");

static unsigned int connections_per_owner = 2048;
module_param(connections_per_owner, uint, 0644);
MODULE_PARM_DESC(connections_per_owner,
		 "Of these, to snapshots of one user that had no CAP_SYS_RESOURCE");

static unsigned int connections_per_user = 1024;
module_param(connections_per_user, uint, 0644);
MODULE_PARM_DESC(connections_per_user,
		 "Connections to other machines for the children of a user without "
		 "CAP_SYS_RESOURCE");

static unsigned int prefetch_pages = MITOSIS_PREFETCH_PAGES_DEFAULT;
module_param(prefetch_pages, uint, 0644);
MODULE_PARM_DESC(prefetch_pages, "Pages per fault of a child, a power of two from 1 to 512");

static bool eager;
module_param(eager, bool, 0644);
MODULE_PARM_DESC(eager, "Fetch all pages of a child before its first instruction");

static bool page_cache;
module_param(page_cache, bool, 0644);
MODULE_PARM_DESC(page_cache, "Keep pages of another machine for later children of the snapshot");

static bool copy;
module_param(copy, bool, 0644);
MODULE_PARM_DESC(copy, "Copy pages for each child at once, do not share them until written");

static unsigned int deadline_ms = MITOSIS_DEADLINE_MS_DEFAULT;
module_param(deadline_ms, uint, 0644);
MODULE_PARM_DESC(deadline_ms, "Deadline of each wait for another machine, ms, 1 to 3600000");

static unsigned int rdma_wait_ms;
module_param(rdma_wait_ms, uint, 0644);
MODULE_PARM_DESC(rdma_wait_ms, "Time that the first child of a snapshot waits until RDMA to its "
			       "machine is set up, ms, at most 4000: for measurements");

static unsigned int rdma_retry_ms = 5000;
module_param(rdma_retry_ms, uint, 0644);
MODULE_PARM_DESC(rdma_retry_ms,
		 "Time until RDMA that has failed is set up again, ms, at most 3600000");

static const char *const transports[] = { "tcp", "auto" };
static bool upgrades;

static int set_transport(const char *text, const struct kernel_param *parameter)
{
	int found = sysfs_match_string(transports, text);

	if (found < 0)
		return found;
	WRITE_ONCE(upgrades, found);
	return 0;
}

static int get_transport(char *text, const struct kernel_param *parameter)
{
	return sprintf(text, "%s\n", transports[READ_ONCE(upgrades)]);
}

static const struct kernel_param_ops transport_operations = {
	.set = set_transport,
	.get = get_transport,
};
module_param_cb(transport, &transport_operations, NULL, 0644);
__MODULE_PARM_TYPE(transport, "string");
MODULE_PARM_DESC(transport, "Of sessions with a tcp:// address: tcp, or auto, RDMA where both "
			    "machines have a device and protection is handshake");

bool mitosis_upgrades(void)
{
	return READ_ONCE(upgrades);
}

unsigned int mitosis_rdma_wait_ms(void)
{
	return min(READ_ONCE(rdma_wait_ms), 4000u);
}

unsigned int mitosis_rdma_retry_ms(void)
{
	return min(READ_ONCE(rdma_retry_ms), 3600000u);
}

unsigned int mitosis_snapshots_per_user(void)
{
	return READ_ONCE(snapshots_per_user);
}

unsigned long mitosis_snapshot_pages_per_user(void)
{
	return totalram_pages() / 100 * min(READ_ONCE(snapshot_percent_per_user), 100u);
}

unsigned int mitosis_connections(void)
{
	return READ_ONCE(connections);
}

unsigned int mitosis_connections_per_machine(void)
{
	return READ_ONCE(connections_per_machine);
}

unsigned int mitosis_connections_per_owner(void)
{
	return READ_ONCE(connections_per_owner);
}

unsigned int mitosis_connections_per_user(void)
{
	return READ_ONCE(connections_per_user);
}

unsigned int mitosis_deadline_ms(void)
{
	return clamp_t(unsigned int, READ_ONCE(deadline_ms), 1, MITOSIS_DEADLINE_MS_MAX);
}

/* The parameter can be written at any time, so its limits are applied here. */
static unsigned int default_prefetch(void)
{
	return rounddown_pow_of_two(
		clamp_t(unsigned int, READ_ONCE(prefetch_pages), 1, MITOSIS_PREFETCH_PAGES_MAX));
}

struct mitosis_options mitosis_options_default(void)
{
	return (struct mitosis_options){
		.flags = (READ_ONCE(eager) ? MITOSIS_OPTION_EAGER : 0) |
			 (READ_ONCE(page_cache) ? MITOSIS_OPTION_CACHE : 0) |
			 (READ_ONCE(copy) ? MITOSIS_OPTION_COPY : 0),
		.prefetch_pages = default_prefetch(),
		.deadline_ms = mitosis_deadline_ms(),
	};
}

int mitosis_options_check(struct mitosis_options *options)
{
	if (options->flags & ~OPTIONS_KNOWN || options->reserved ||
	    options->prefetch_pages > MITOSIS_PREFETCH_PAGES_MAX ||
	    options->deadline_ms > MITOSIS_DEADLINE_MS_MAX)
		return -EINVAL;
	if (!options->prefetch_pages)
		options->prefetch_pages = default_prefetch();
	if (!options->deadline_ms)
		options->deadline_ms = mitosis_deadline_ms();
	return is_power_of_2(options->prefetch_pages) ? 0 : -EINVAL;
}
