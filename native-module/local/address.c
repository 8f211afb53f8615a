// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By enum local_transport. */
static const char *const schemes[] = { "tcp://", "rdma://", "replica://" };

#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

/* A statically linked program has no resolver: numeric addresses only. */
#pragma weak getaddrinfo
#pragma weak freeaddrinfo

static int resolve_number(const char *host, struct local_address *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, host, address->ip) == 1)
		return 0;
	memcpy(address->ip, mapped, sizeof(mapped));
	return inet_pton(AF_INET, host, address->ip + sizeof(mapped)) == 1 ? 0
									   : -ENOENT;
}

static int resolve_name(const char *host, struct local_address *address)
{
	struct addrinfo hints = {
		.ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_V4MAPPED,
	};
	struct addrinfo *found;
	struct sockaddr_in6 *in6;

	if (!getaddrinfo || getaddrinfo(host, NULL, &hints, &found))
		return -ENOENT;
	in6 = (struct sockaddr_in6 *)found->ai_addr;
	memcpy(address->ip, &in6->sin6_addr, sizeof(address->ip));
	address->scope = in6->sin6_scope_id;
	freeaddrinfo(found);
	return 0;
}

/* Where the port's colon is, or the end of a text without a port. */
static const char *host_end(const char *text)
{
	const char *colon = strrchr(text, ':');

	return !colon || strchr(colon, ']') ? text + strlen(text) : colon;
}

/* Of ":port", or of nothing, which only addresses of RDMA may have. -1: malformed. */
static long parse_port(const char *text, uint8_t transport)
{
	char *rest;
	long port;

	if (!*text)
		return transport == LOCAL_TRANSPORT_RDMA ? LOCAL_PORT_DEFAULT : -1;
	port = strtol(text + 1, &rest, 10);
	return *rest || rest == text + 1 || port > 65535 ? -1 : port;
}

int local_nic_parse(const char *text)
{
	char *rest;
	long nic_id;

	if (!*text)
		return 0;
	if (text[0] != '%' || !isdigit((unsigned char)text[1]))
		return -EINVAL;
	nic_id = strtol(text + 1, &rest, 10);
	return *rest || nic_id >= UINT8_MAX ? -EINVAL : nic_id + 1;
}

/* Where "%nic_id" is, or the end. In brackets % is followed by a network interface. */
static const char *nic_start(const char *text, uint8_t transport)
{
	const char *bracket = strchr(text, ']');

	return transport == LOCAL_TRANSPORT_RDMA
		       ? strchrnul(bracket ? bracket : text, '%')
		       : text + strlen(text);
}

int local_address_parse(const char *whole, struct local_address *address)
{
	char host[256], given[320];
	const char *text = given;
	uint8_t transport = 0;
	const char *end;
	long port;
	int nic;

	while (strncmp(whole, schemes[transport], strlen(schemes[transport])))
		if (++transport == SCHEMES)
			return -EINVAL;
	whole += strlen(schemes[transport]);
	end = nic_start(whole, transport);
	nic = local_nic_parse(end);
	if (nic < 0 || end - whole >= (ptrdiff_t)sizeof(given))
		return -EINVAL;
	snprintf(given, sizeof(given), "%.*s", (int)(end - whole), whole);
	end = host_end(text);
	port = parse_port(end, transport);
	if (port < 0)
		return -EINVAL;
	if (*text == '[') {
		if (end[-1] != ']')
			return -EINVAL;
		text++;
		end--;
	}
	if (end - text >= (ptrdiff_t)sizeof(host) || end <= text)
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(end - text), text);
	memset(address, 0, sizeof(*address));
	address->port = port;
	address->transport = transport;
	address->nic = nic;
	return resolve_number(host, address) ? resolve_name(host, address) : 0;
}

static bool is_ipv4(const struct local_address *address)
{
	return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address->ip);
}

void local_address_to_text(const struct local_address *address,
			   char text[LOCAL_ADDRESS_TEXT_SIZE])
{
	/* It may have come in a message. */
	const char *scheme =
		schemes[address->transport < SCHEMES ? address->transport : 0];
	char host[INET6_ADDRSTRLEN] = "?";

	if (is_ipv4(address)) {
		inet_ntop(AF_INET, address->ip + 12, host, sizeof(host));
		snprintf(text, LOCAL_ADDRESS_TEXT_SIZE, "%s%s:%u", scheme, host,
			 address->port);
	} else {
		inet_ntop(AF_INET6, address->ip, host, sizeof(host));
		snprintf(text, LOCAL_ADDRESS_TEXT_SIZE, "%s[%s]:%u", scheme, host,
			 address->port);
	}
	if (address->nic) {
		size_t length = strlen(text);

		snprintf(text + length, LOCAL_ADDRESS_TEXT_SIZE - length, "%%%u",
			 address->nic - 1u);
	}
}

void local_address_to_socket(const struct local_address *address,
			     struct sockaddr_in6 *socket_address)
{
	memset(socket_address, 0, sizeof(*socket_address));
	socket_address->sin6_family = AF_INET6;
	socket_address->sin6_port = htons(address->port);
	socket_address->sin6_scope_id = address->scope;
	memcpy(&socket_address->sin6_addr, address->ip, sizeof(address->ip));
}

bool local_address_is_loopback(const struct local_address *address)
{
	return is_ipv4(address)
		       ? address->ip[12] == 127
		       : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)address->ip);
}
