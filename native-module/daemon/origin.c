// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/origin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int verify_read(bool *verify, char *problem, size_t size)
{
	const char *text = secure_getenv("MITOSIS_VERIFY");

	*verify = text && !strcmp(text, "on");
	if (!text || !*text || *verify || !strcmp(text, "off"))
		return 0;
	snprintf(problem, size, "MITOSIS_VERIFY must be off or on, got '%s'", text);
	return -EINVAL;
}

/* Of what WIRE_OPEN brings. Machines pass a descriptor on with what its rights leave of it. */
static int compare_descriptor(struct wire_connection *c,
			      struct descriptor_header *expected,
			      const struct parent_rights *rights)
{
	uint32_t length;
	void *bytes;
	int err = wire_receive_answer(c, &length);

	rights_limit(expected, rights);

	if (err)
		return err;
	if (length != expected->total_size)
		return -EBADE;
	bytes = malloc(length);
	if (!bytes)
		return -ENOMEM;
	err = wire_receive(c, bytes, length);
	if (!err)
		rights_limit(bytes, rights);
	if (!err && memcmp(bytes, expected, length))
		err = -EBADE;
	free(bytes);
	return err;
}

int origin_open(struct origin *origin, const struct local_address *address,
		const struct auth *auth, uint32_t machine_id, uint32_t handler_id,
		struct descriptor_header *descriptor, struct parent_rights *rights)
{
	const struct wire_open request = {
		.handler_id = handler_id,
		.owner_uid = geteuid(),
	};
	struct wire_connection *c = &origin->connection;
	struct sockaddr_in6 where;
	struct wire_rights told;
	int err;

	local_address_to_socket(address, &where);
	err = wire_connect(c, &where, auth);
	if (!err && c->machine_id != machine_id)
		err = -EINVAL;
	if (!err)
		err = wire_send(c, WIRE_OPEN, &request, sizeof(request));
	if (!err)
		err = wire_receive_rights(c, &told);
	if (!err) {
		*rights = told.has;
		err = compare_descriptor(c, descriptor, rights);
	}
	origin->checks = !err;
	origin->page_size = descriptor->page_size;
	sha256_init_bulk(&origin->fresh);
	if (err)
		wire_close(c);
	return err;
}

/* Up to WIRE_DIGESTS_MAX pages. */
static int check_some(struct origin *origin, uint64_t address, uint64_t length,
		      const uint8_t *bytes)
{
	const struct wire_pages request = { .address = address, .length = length };
	const uint64_t pages = length / origin->page_size;
	uint8_t expected[WIRE_DIGESTS_MAX][WIRE_DIGEST_SIZE];
	struct wire_connection *c = &origin->connection;
	uint32_t size;
	uint64_t i;
	int err = wire_send(c, WIRE_DIGESTS, &request, sizeof(request));

	if (!err)
		err = wire_receive_answer(c, &size);
	/* Both say that it cannot be read. */
	if (err == -EFAULT && !bytes)
		return 0;
	if (!err && size != pages * WIRE_DIGEST_SIZE)
		return wire_fail(c, -EMSGSIZE);
	if (!err)
		err = wire_receive(c, expected, size);
	if (err || !bytes)
		return err == -EFAULT || !err ? -EBADE : err;
	for (i = 0; i < pages; i++) {
		uint8_t digest[SHA256_SIZE];
		struct sha256 h = origin->fresh;

		sha256_update(&h, bytes + i * origin->page_size, origin->page_size);
		sha256_final(&h, digest);
		if (memcmp(digest, expected[i], WIRE_DIGEST_SIZE))
			return -EBADE;
	}
	origin->checked += pages;
	return 0;
}

int origin_check(struct origin *origin, uint64_t address, uint64_t length,
		 const void *bytes)
{
	const uint64_t most = WIRE_DIGESTS_MAX * origin->page_size;
	const uint8_t *at = bytes;
	int err = 0;

	while (origin->checks && !err && length) {
		uint64_t n = length < most ? length : most;

		err = check_some(origin, address, n, at);
		address += n;
		length -= n;
		at = at ? at + n : NULL;
	}
	return err;
}

void origin_close(struct origin *origin)
{
	if (origin->checks)
		wire_close(&origin->connection);
	origin->checks = false;
}
