/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One end of a sealed session: messages as records on a TCP socket. See PROTOCOL.md.
 * A sealing must not be used by two threads at once.
 */
#ifndef MITOSIS_SEALING_H
#define MITOSIS_SEALING_H

#include <linux/types.h>
#include <linux/uio.h>

#include "proto/wire.h"

struct sealing;
struct socket;

/* Returns the end, or an ERR_PTR: -ENOENT this kernel has no cipher; -ENOMEM. */
struct sealing *mitosis_sealing_create(const struct wire_secrets *secrets, bool is_client);
void mitosis_sealing_destroy(struct sealing *sealing);

/* Sends `size` bytes. Returns 0 or -errno. */
int mitosis_sealing_send(struct sealing *sealing, struct socket *socket, const struct kvec *parts,
			 size_t size);

/*
 * Receives exactly `size` bytes, of which the first must come within `first_ms` (else
 * -EAGAIN) and each further record within `ms`. Returns 0; -EPROTO, -EMSGSIZE, -EALREADY,
 * -EILSEQ or -EBADMSG for a record as in PROTOCOL.md; or as mitosis_transport_receive().
 */
int mitosis_sealing_receive(struct sealing *sealing, struct socket *socket,
			    const struct kvec *parts, size_t size, unsigned int first_ms,
			    unsigned int ms);

#endif /* MITOSIS_SEALING_H */
