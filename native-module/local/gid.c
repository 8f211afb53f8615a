// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/gid.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/address.h"
#include "uapi/mitosis.h"

#define PORTS_MAX 64

bool gid_is(const char *text)
{
	int i;

	for (i = 0; i < MITOSIS_GID_LENGTH; i++)
		if (i % 5 == 4 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return local_nic_parse(text + MITOSIS_GID_LENGTH) >= 0;
}

static int compare(const void *left, const void *right)
{
	const struct gid_port *a = left, *b = right;
	size_t a_length = strlen(a->device), b_length = strlen(b->device);
	int by_name = strcmp(a->device, b->device);

	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return by_name ? by_name : (int)a->number - (int)b->number;
}

/* In the order of their nic_id. Returns how many there are. */
static size_t list_ports(const char *devices, struct gid_port ports[PORTS_MAX])
{
	size_t length = strlen(devices), count = 0, i;
	char pattern[512];
	glob_t found = { 0 };

	snprintf(pattern, sizeof(pattern), "%s/*/ports/*", devices);
	if (glob(pattern, GLOB_NOSORT, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc && count < PORTS_MAX; i++)
		if (sscanf(found.gl_pathv[i] + length, "/%63[^/]/ports/%u",
			   ports[count].device, &ports[count].number) == 2)
			count++;
	globfree(&found);
	qsort(ports, count, sizeof(ports[0]), compare);
	return count;
}

int gid_port_find(const char *devices, unsigned int nic_id, struct gid_port *port)
{
	struct gid_port ports[PORTS_MAX];

	if (nic_id >= list_ports(devices, ports))
		return -ENODEV;
	*port = ports[nic_id];
	return 0;
}

void gid_ports_to_text(const char *devices, char *text, size_t size)
{
	struct gid_port ports[PORTS_MAX];
	size_t count = list_ports(devices, ports), at = 0, i;

	snprintf(text, size, "none");
	for (i = 0; i < count && at < size; i++)
		at += snprintf(text + at, size - at, "%s%s port %u (%zu)",
			       i ? ", " : "", ports[i].device, ports[i].number, i);
}

/* The first line of a file. The file of an empty place in the table cannot be read. */
static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool read = f && fgets(line, size, f);

	if (f)
		fclose(f);
	if (read)
		line[strcspn(line, "\n")] = '\0';
	return read && *line;
}

/*
 * The network interface that the GIDs of a port, or of all of them, have. Returns 0, or
 * -ENOTUNIQ if there are several interfaces, or none.
 */
static int interface_of(const char *devices, const struct gid_port *port,
			char name[IF_NAMESIZE])
{
	char pattern[640], line[IF_NAMESIZE];
	glob_t found = { 0 };
	int err = -ENOTUNIQ;
	size_t i;

	*name = '\0';
	if (port)
		snprintf(pattern, sizeof(pattern),
			 "%s/%s/ports/%u/gid_attrs/ndevs/*", devices, port->device,
			 port->number);
	else
		snprintf(pattern, sizeof(pattern), "%s/*/ports/*/gid_attrs/ndevs/*",
			 devices);
	if (glob(pattern, 0, NULL, &found))
		return err;
	for (i = 0; i < found.gl_pathc; i++) {
		if (!read_line(found.gl_pathv[i], line, sizeof(line)) ||
		    !strcmp(name, line))
			continue;
		err = *name ? -ENOTUNIQ : 0;
		if (err)
			break;
		strcpy(name, line);
	}
	globfree(&found);
	return err;
}

int gid_to_address(const char *text, const char *devices,
		   struct local_address *address)
{
	char gid[MITOSIS_GID_LENGTH + 1], interface[IF_NAMESIZE];
	struct gid_port port;
	int err;

	memset(address, 0, sizeof(*address));
	snprintf(gid, sizeof(gid), "%s", text);
	if (!gid_is(text) || inet_pton(AF_INET6, gid, address->ip) != 1)
		return -EINVAL;
	address->port = LOCAL_PORT_DEFAULT;
	address->transport = LOCAL_TRANSPORT_RDMA;
	address->nic = local_nic_parse(text + MITOSIS_GID_LENGTH);
	if (gid_port_find(devices, 0, &port))
		return -ENODEV;
	if (!IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)address->ip))
		return 0;
	if (address->nic && gid_port_find(devices, address->nic - 1u, &port))
		return 0; /* The caller names what there is. */
	err = interface_of(devices, address->nic ? &port : NULL, interface);
	address->scope = err ? 0 : if_nametoindex(interface);
	return err ? err : address->scope ? 0 : -ENODEV;
}

/* 0: IPv4; 1: IPv6; 2: link-local IPv6. */
static int kind(const uint8_t ip[16])
{
	const struct in6_addr *in6 = (const struct in6_addr *)ip;

	return IN6_IS_ADDR_V4MAPPED(in6) ? 0 : IN6_IS_ADDR_LINKLOCAL(in6) ? 2 : 1;
}

int gid_port_source(const char *devices, const struct gid_port *port,
		    const uint8_t to[16], uint8_t from[16])
{
	char pattern[640], line[64];
	uint8_t gid[16];
	glob_t found = { 0 };
	int err = -ENOENT;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/%s/ports/%u/gids/*", devices,
		 port->device, port->number);
	if (glob(pattern, 0, NULL, &found))
		return err;
	for (i = 0; err && i < found.gl_pathc; i++) {
		if (!read_line(found.gl_pathv[i], line, sizeof(line)) ||
		    inet_pton(AF_INET6, line, gid) != 1 ||
		    IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)gid) ||
		    kind(gid) != kind(to))
			continue;
		memcpy(from, gid, sizeof(gid));
		err = 0;
	}
	globfree(&found);
	return err;
}
