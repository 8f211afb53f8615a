// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/gid.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "local/address.h"
#include "uapi/mitosis.h"

bool gid_is(const char *text)
{
	int i;

	for (i = 0; i < MITOSIS_GID_LENGTH; i++)
		if (i % 5 == 4 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return text[MITOSIS_GID_LENGTH] == '\0';
}

/*
 * The network interface that the GIDs of all devices have. Returns 0, -ENODEV without
 * devices, -ENOTUNIQ if there are several interfaces, or none.
 */
static int interface_of_devices(const char *devices, char name[IF_NAMESIZE])
{
	char pattern[512];
	glob_t found = { 0 };
	int err = -ENOTUNIQ;
	size_t i;

	*name = '\0';
	snprintf(pattern, sizeof(pattern), "%s/*/ports/*", devices);
	if (glob(pattern, 0, NULL, &found))
		return -ENODEV;
	globfree(&found);
	snprintf(pattern, sizeof(pattern), "%s/*/ports/*/gid_attrs/ndevs/*",
		 devices);
	if (glob(pattern, 0, NULL, &found))
		return err;
	for (i = 0; i < found.gl_pathc; i++) {
		char line[IF_NAMESIZE] = "";
		FILE *f = fopen(found.gl_pathv[i], "re");
		/* The file of an empty place in the table cannot be read. */
		bool read = f && fgets(line, sizeof(line), f);

		if (f)
			fclose(f);
		line[strcspn(line, "\n")] = '\0';
		if (!read || !*line || !strcmp(name, line))
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
	char interface[IF_NAMESIZE];
	int err = interface_of_devices(devices, interface);

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET6, text, address->ip) != 1)
		return -EINVAL;
	address->port = LOCAL_PORT_DEFAULT;
	address->transport = LOCAL_TRANSPORT_RDMA;
	if (err == -ENODEV ||
	    !IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)address->ip))
		return err == -ENODEV ? err : 0;
	address->scope = err ? 0 : if_nametoindex(interface);
	return err ? err : address->scope ? 0 : -ENODEV;
}
