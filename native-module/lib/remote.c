// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/remote.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/error.h"
#include "lib/own_files.h"
#include "libmitosis.h"
#include "local/address.h"
#include "local/channel.h"
#include "local/gid.h"
#include "proto/user/auth_config.h"

/* The default GID of a RoCE device is made of its MAC, not of an address that it has. */
static int parse_gid(const char *text, struct local_address *address)
{
	int err = gid_to_address(text, GID_DEVICES, address);

	if (err == -ENODEV)
		return fail(err,
			    "'%s' is a GID, and this machine has no RDMA "
			    "device for it; give tcp://host:port",
			    text);
	if (err)
		return fail(err,
			    "the GID '%s' is link-local, and this machine's RDMA "
			    "devices do not have one network interface; give "
			    "rdma://host:port, or the GID with %%nic_id",
			    text);
	return 0;
}

int remote_no_port(const char *text)
{
	char ports[256];

	gid_ports_to_text(GID_DEVICES, ports, sizeof(ports));
	return fail(
		-ENODEV,
		"'%s' names the RDMA port with nic_id %s, and this machine's are: "
		"%s; give the number of one of them, or leave %%nic_id out",
		text, strrchr(text, '%') + 1, ports);
}

static int require_nic(const char *text, const struct local_address *address)
{
	struct gid_port port;

	if (!address->nic || !gid_port_find(GID_DEVICES, address->nic - 1u, &port))
		return 0;
	return remote_no_port(text);
}

int remote_address_parse(const char *text, struct local_address *address)
{
	int err;

	if (gid_is(text))
		return parse_gid(text, address) ?: require_nic(text, address);
	err = local_address_parse(text, address);
	if (err == -EINVAL)
		return fail(
			err,
			"'%s' is not an address; give tcp://host:port, "
			"replica://host:port, rdma://host[:port][%%nic_id], or a "
			"GID",
			text);
	if (err)
		return fail(-EHOSTUNREACH, "the host in '%s' is unknown", text);
	return require_nic(text, address);
}

static int protections_differ(uint32_t ours, uint32_t its, const char *text)
{
	return fail(-EPROTOTYPE,
		    "sessions of the machine at %s are protected by '%s', ours by "
		    "'%s'; give both the same MITOSIS_PROTECTION%s",
		    text, auth_protection_name(its), auth_protection_name(ours),
		    ours == WIRE_PROTECTION_SEALED &&
				    its == WIRE_PROTECTION_HANDSHAKE
			    ? " (the kernel module can 'handshake' only)"
			    : "");
}

/* Asked for by name, so pages must not come sealed over TCP, nor unsealed unasked. */
static int needs_handshake(const struct auth *auth, const char *text)
{
	return fail(
		-EPROTOTYPE,
		"RDMA carries pages that are not sealed, so %s needs "
		"MITOSIS_PROTECTION=handshake on both machines, and ours is '%s'",
		text, auth_protection_name(auth->protection));
}

static int connection_failed(int err, uint32_t protection, const char *text)
{
	switch (err) {
	case -ECONNREFUSED:
		return fail(err,
			    "no process listens at %s; start mitosisd there with "
			    "--listen",
			    text);
	case -EACCES:
		return fail(err,
			    "%s refuses our key, or we refuse its; the key files "
			    "of both machines must be the same%s",
			    text,
			    protection == WIRE_PROTECTION_SEALED
				    ? ", and no address may be translated between "
				      "them (NAT, a relay)"
				    : "");
	case -EPROTO:
		return fail(err, "the process that listens at %s is not mitosisd",
			    text);
	case -EPROTONOSUPPORT:
		return fail(err,
			    "the mitosisd at %s speaks another version of the "
			    "protocol; run the same release on both machines",
			    text);
	case -EMSGSIZE:
		return fail(err,
			    "%s sends or wants a message of another length; run "
			    "the same release on both machines",
			    text);
	case -ETIMEDOUT:
		return fail(err, "%s does not answer within %d ms", text,
			    wire_deadline_ms());
	case -ECONNRESET:
		return fail(err, "%s closed the connection", text);
	case -EBUSY:
		return fail(err,
			    "%s has as many connections as its mitosis module's "
			    "parameters connections and connections_per_machine "
			    "allow",
			    text);
	default:
		return fail(err, "%s cannot be reached: %s", text, strerror(-err));
	}
}

/* Connects to an address and checks that the right machine answers; for replicas, any other. */
static int dial(struct wire_connection *c, const struct local_address *address,
		uint32_t machine_id)
{
	char text[LOCAL_ADDRESS_TEXT_SIZE];
	char message[256];
	struct sockaddr_in6 where;
	struct auth auth;
	int err = auth_configure(&auth, message, sizeof(message));

	if (err)
		return fail(err == -ENOENT ? -EACCES : err, "%s", message);
	local_address_to_text(address, text);
	if (address->transport == LOCAL_TRANSPORT_RDMA &&
	    auth.protection != WIRE_PROTECTION_HANDSHAKE) {
		auth_forget(&auth);
		return needs_handshake(&auth, text);
	}
	if (auth.protection == WIRE_PROTECTION_NONE &&
	    !auth_none_allowed(local_address_is_loopback(address)))
		return fail(-EACCES,
			    "MITOSIS_PROTECTION=none is for loopback addresses, not "
			    "for %s; set MITOSIS_KEY_FILE, or "
			    "MITOSIS_PRIVATE_NETWORK=1 if no stranger reaches it",
			    text);
	local_address_to_socket(address, &where);
	err = wire_connect(c, &where, &auth);
	auth_forget(&auth);
	if (err == -EPROTOTYPE)
		return protections_differ(auth.protection, c->its_protection, text);
	if (err)
		return connection_failed(err, auth.protection, text);
	if (address->transport != LOCAL_TRANSPORT_REPLICA &&
	    c->machine_id != machine_id) {
		wire_close(c);
		return fail(-EINVAL, "at %s is machine %u, not %u", text,
			    c->machine_id, machine_id);
	}
	return 0;
}

int remote_connect(struct daemon_link *link, uint32_t machine_id, const char *text)
{
	struct local_message m = channel_message(LOCAL_CONNECT);
	struct wire_connection c = { .fd = -1 };
	int err = remote_address_parse(text, &m.address);

	if (!err)
		err = dial(&c, &m.address, machine_id);
	if (err)
		return err;
	m.machine_id = machine_id;
	/* mitosisd keeps it open and sends nothing: it needs no secrets. */
	err = daemon_link_call_with(link, &m, c.fd, NULL);
	wire_close(&c);
	return err;
}

static int not_connected(uint32_t machine_id)
{
	return fail(-ENOTCONN,
		    "there is no session to machine %u, or it has ended; "
		    "connect first",
		    machine_id);
}

int remote_session_address(struct daemon_link *link, uint32_t machine_id,
			   struct local_address *address)
{
	struct local_message m = channel_message(LOCAL_SESSION);
	int err;

	m.machine_id = machine_id;
	err = daemon_link_call(link, &m, NULL);
	if (err == -ENOTCONN)
		return not_connected(machine_id);
	if (!err)
		*address = m.address;
	return err;
}

static void close_at(struct remote_connections *c, uint32_t i)
{
	own_files_forget(c->open[i].fd);
	wire_close(&c->open[i]);
	memmove(c->open + i, c->open + i + 1, (--c->count - i) * sizeof(c->open[0]));
}

/* This device's connection to a machine: its index or -errno. */
static int connection_to(struct daemon_link *link, struct remote_connections *c,
			 uint32_t machine_id)
{
	struct wire_connection connection;
	struct local_address address;
	uint32_t i;
	int err;

	for (i = 0; i < c->count; i++)
		if (c->open[i].machine_id == machine_id)
			return i;
	err = remote_session_address(link, machine_id, &address);
	if (!err)
		err = dial(&connection, &address, machine_id);
	if (err)
		return err;
	/* Forget the oldest. */
	if (c->count == REMOTE_CONNECTIONS_MAX)
		close_at(c, 0);
	own_files_note(connection.fd);
	/* What it was opened for: at replica:// another machine answers. */
	connection.machine_id = machine_id;
	c->open[c->count] = connection;
	return c->count++;
}

int remote_nil_rpc(struct daemon_link *link, struct remote_connections *c,
		   uint32_t machine_id)
{
	int i = connection_to(link, c, machine_id);
	int err;

	if (i < 0)
		return i;
	err = wire_call(&c->open[i], WIRE_NIL, NULL, 0);
	if (!err)
		return 0;
	close_at(c, i);
	return fail(err, "machine %u does not answer: %s", machine_id,
		    wire_problem(err));
}

void remote_close_all(struct remote_connections *c)
{
	while (c->count)
		close_at(c, c->count - 1);
}
