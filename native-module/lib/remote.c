// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/remote.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "libmitosis.h"
#include "local/address.h"
#include "local/channel.h"
#include "proto/user/auth_config.h"
#include "proto/user/connection.h"

/* Eight groups of four hexadecimal digits with colons between them. */
static bool is_gid(const char *text)
{
	int i;

	for (i = 0; i < MITOSIS_GID_LENGTH; i++)
		if (i % 5 == 4 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return text[MITOSIS_GID_LENGTH] == '\0';
}

static int parse(const char *text, struct local_address *address)
{
	int err = local_address_parse(text, address);

	if (err == -EINVAL && is_gid(text))
		return fail(-ENODEV,
			    "'%s' is a GID, and this machine has no RDMA "
			    "device for it; give tcp://host:port",
			    text);
	if (err == -EINVAL)
		return fail(err, "'%s' is not an address; give tcp://host:port",
			    text);
	if (err)
		return fail(-EHOSTUNREACH, "the host in '%s' is unknown", text);
	return 0;
}

static int connection_failed(int err, const char *text)
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
			    "of both machines must be the same",
			    text);
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
	default:
		return fail(err, "%s cannot be reached: %s", text, strerror(-err));
	}
}

/* Connects to an address and checks that the right machine answers. */
static int dial(const struct local_address *address, uint32_t machine_id)
{
	char text[LOCAL_ADDRESS_TEXT_SIZE];
	char message[256];
	struct sockaddr_in6 where;
	struct auth auth;
	uint32_t answering;
	int fd = auth_configure(&auth, message, sizeof(message));

	if (fd)
		return fail(fd == -ENOENT ? -EACCES : fd, "%s", message);
	local_address_to_text(address, text);
	if (auth.kind == WIRE_AUTH_NONE &&
	    !auth_none_allowed(local_address_is_loopback(address)))
		return fail(-EACCES,
			    "MITOSIS_AUTH=none is for loopback addresses, not for "
			    "%s; set MITOSIS_KEY_FILE, or "
			    "MITOSIS_PRIVATE_NETWORK=1 if no stranger reaches it",
			    text);
	local_address_to_socket(address, &where);
	fd = wire_connect(&where, &auth, &answering);
	auth_forget(&auth);
	if (fd < 0)
		return connection_failed(fd, text);
	if (answering != machine_id) {
		close(fd);
		return fail(-EINVAL, "at %s is machine %u, not %u", text, answering,
			    machine_id);
	}
	return fd;
}

int remote_connect(struct daemon_link *link, uint32_t machine_id, const char *text)
{
	struct local_message m = channel_message(LOCAL_CONNECT);
	int err = parse(text, &m.address);
	int fd;

	if (err)
		return err;
	fd = dial(&m.address, machine_id);
	if (fd < 0)
		return fd;
	m.machine_id = machine_id;
	err = daemon_link_call_with(link, &m, fd, NULL);
	close(fd);
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

/* This device's connection to a machine: its index or -errno. */
static int connection_to(struct daemon_link *link, struct remote_connections *c,
			 uint32_t machine_id)
{
	struct local_address address;
	uint32_t i;
	int err, fd;

	for (i = 0; i < c->count; i++)
		if (c->open[i].machine_id == machine_id)
			return i;
	err = remote_session_address(link, machine_id, &address);
	if (err)
		return err;
	fd = dial(&address, machine_id);
	if (fd < 0)
		return fd;
	if (c->count == REMOTE_CONNECTIONS_MAX) {
		/* Forget the oldest. */
		close(c->open[0].fd);
		memmove(c->open, c->open + 1, --c->count * sizeof(c->open[0]));
	}
	c->open[c->count].machine_id = machine_id;
	c->open[c->count].fd = fd;
	return c->count++;
}

int remote_nil_rpc(struct daemon_link *link, struct remote_connections *c,
		   uint32_t machine_id)
{
	int i = connection_to(link, c, machine_id);
	int err;

	if (i < 0)
		return i;
	err = wire_call(c->open[i].fd, WIRE_NIL, NULL, 0);
	if (!err)
		return 0;
	close(c->open[i].fd);
	memmove(c->open + i, c->open + i + 1, (--c->count - i) * sizeof(c->open[0]));
	return fail(err, "machine %u does not answer: %s", machine_id,
		    err == -ETIMEDOUT ? "the deadline has passed"
				      : "it has closed the connection");
}

void remote_close_all(struct remote_connections *c)
{
	while (c->count)
		close(c->open[--c->count].fd);
}
