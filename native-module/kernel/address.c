// SPDX-License-Identifier: GPL-2.0
#include "address.h"

#include <linux/ctype.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/netdevice.h>
#include <linux/string.h>
#include <net/ipv6.h>

#include "uapi/mitosis.h"

#define PORT_DEFAULT 7473

static const char tcp_scheme[] = "tcp://", rdma_scheme[] = "rdma://";

void mitosis_address_to_wire(const struct sockaddr_storage *address, u8 ip[16], u16 *port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	struct in6_addr mapped = v6->sin6_addr;

	if (address->ss_family == AF_INET)
		ipv6_addr_set_v4mapped(v4->sin_addr.s_addr, &mapped);
	memcpy(ip, &mapped, sizeof(mapped));
	*port = ntohs(address->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

void mitosis_address_from_wire(const u8 ip[16], u16 port, u32 scope,
			       struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	struct in6_addr in6;

	memcpy(&in6, ip, sizeof(in6));
	memset(address, 0, sizeof(*address));
	if (ipv6_addr_v4mapped(&in6)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = in6.s6_addr32[3];
		return;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	v6->sin6_addr = in6;
	if (ipv6_addr_type(&in6) & IPV6_ADDR_LINKLOCAL)
		v6->sin6_scope_id = scope;
}

static bool is_gid(const char *text)
{
	int i;

	for (i = 0; i < MITOSIS_GID_LENGTH; i++)
		if (i % 5 == 4 ? text[i] != ':' : !isxdigit(text[i]))
			return false;
	return true;
}

static int parse_gid(const char *text, struct sockaddr_storage *address)
{
	struct in6_addr gid;

	if (text[MITOSIS_GID_LENGTH] || !in6_pton(text, MITOSIS_GID_LENGTH, gid.s6_addr, -1, NULL))
		return -EINVAL;
	if (ipv6_addr_type(&gid) & IPV6_ADDR_LINKLOCAL)
		return -ENODEV;
	mitosis_address_from_wire(gid.s6_addr, PORT_DEFAULT, 0, address);
	return 0;
}

/* Of "%nic_id", or of nothing. */
static int parse_nic(const char *text, u8 *nic)
{
	u8 nic_id;

	*nic = 0;
	if (!*text)
		return 0;
	if (!isdigit(text[1]) || kstrtou8(text + 1, 10, &nic_id) || nic_id == U8_MAX)
		return -EINVAL;
	*nic = nic_id + 1;
	return 0;
}

/* In brackets % is followed by a network interface. */
static const char *find_nic(const char *text)
{
	const char *bracket = strchr(text, ']');

	return strchrnul(bracket ?: text, '%');
}

/* Of ":port", which ends there. */
static int parse_port(const char *text, const char *end, u16 *port)
{
	char digits[6] = {};

	if (*text != ':' || end - text > sizeof(digits))
		return -EINVAL;
	memcpy(digits, text + 1, end - text - 1);
	return kstrtou16(digits, 10, port) || !*port ? -EINVAL : 0;
}

int mitosis_address_parse(struct net *net, const char *text, struct machine_address *address)
{
	char host[INET6_ADDRSTRLEN + IFNAMSIZ + 1], port_text[6];
	const char *from, *end, *port, *nic;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->socket;
	u16 number = PORT_DEFAULT;
	int err;

	memset(address, 0, sizeof(*address));
	address->rdma = true;
	if (is_gid(text))
		return parse_gid(text, &address->socket);
	address->rdma = !strncmp(text, rdma_scheme, sizeof(rdma_scheme) - 1);
	if (!address->rdma && strncmp(text, tcp_scheme, sizeof(tcp_scheme) - 1))
		return -EINVAL;
	nic = address->rdma ? find_nic(text) : text + strlen(text);
	if (parse_nic(nic, &address->nic))
		return -EINVAL;
	from = text + (address->rdma ? sizeof(rdma_scheme) : sizeof(tcp_scheme)) - 1;
	if (*from == '[') {
		end = strchr(++from, ']');
		if (!end)
			return -EINVAL;
		port = end + 1;
	} else {
		port = end = min(strchrnul(from, ':'), (char *)nic);
	}
	if (port == nic ? !address->rdma : parse_port(port, nic, &number))
		return -EINVAL;
	if (end - from >= sizeof(host))
		return -EINVAL;
	memcpy(host, from, end - from);
	host[end - from] = '\0';
	snprintf(port_text, sizeof(port_text), "%u", number);
	err = inet_pton_with_scope(net, AF_UNSPEC, host, port_text, &address->socket);
	/* As of a GID: an IPv4 address in an IPv6 one. */
	if (!err && ipv6_addr_v4mapped(&v6->sin6_addr) && v6->sin6_family == AF_INET6)
		mitosis_address_from_wire(v6->sin6_addr.s6_addr, number, 0, &address->socket);
	return err;
}
