// SPDX-License-Identifier: GPL-2.0
#include "sealing.h"

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "record.h"
#include "transport.h"

/* The longest request. */
#define REQUEST_MAX (sizeof(struct wire_header) + sizeof(struct wire_pages))

struct sealing {
	struct record_direction *in, *out;
	u32 in_size, out_size; /* of the texts that the buffers have room for */
	u8 *in_buffer;	       /* an opened record that its receiver wanted in parts */
	u8 *out_buffer;	       /* the encrypted text of a record to be sent */
	u32 begin, end;	       /* of what is left in in_buffer */
};

/* A position in the memory of parts. */
struct cursor {
	const struct kvec *part;
	size_t offset; /* in it */
};

struct sealing *mitosis_sealing_create(const struct wire_secrets *secrets, bool is_client)
{
	struct sealing *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err = -ENOMEM;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->in_size = is_client ? WIRE_RECORD_TEXT_MAX : REQUEST_MAX;
	s->out_size = is_client ? REQUEST_MAX : WIRE_RECORD_TEXT_MAX;
	s->in_buffer = kvmalloc(s->in_size, GFP_KERNEL_ACCOUNT);
	s->out_buffer = kvmalloc(s->out_size, GFP_KERNEL_ACCOUNT);
	if (!s->in_buffer || !s->out_buffer)
		goto err_sealing;
	s->in = mitosis_record_create(is_client ? &secrets->server : &secrets->client);
	if (IS_ERR(s->in)) {
		err = PTR_ERR(s->in);
		s->in = NULL;
		goto err_sealing;
	}
	s->out = mitosis_record_create(is_client ? &secrets->client : &secrets->server);
	if (!IS_ERR(s->out))
		return s;
	err = PTR_ERR(s->out);
	s->out = NULL;
err_sealing:
	mitosis_sealing_destroy(s);
	return ERR_PTR(err);
}

void mitosis_sealing_destroy(struct sealing *s)
{
	if (!s)
		return;
	mitosis_record_destroy(s->in);
	mitosis_record_destroy(s->out);
	kvfree(s->in_buffer);
	kvfree(s->out_buffer);
	kfree(s);
}

/*
 * Lists the next `size` bytes at the cursor and moves it behind them. Returns the number
 * of parts, or 0, with the cursor where it was, if a record cannot be there.
 */
static size_t take(struct cursor *cursor, size_t size, struct kvec parts[RECORD_PIECES_MAX])
{
	struct cursor at = *cursor;
	size_t count = 0;

	while (size) {
		size_t n = min_t(size_t, size, at.part->iov_len - at.offset);

		if (n) {
			if (count == RECORD_PIECES_MAX)
				return 0;
			parts[count++] = (struct kvec){ at.part->iov_base + at.offset, n };
		}
		size -= n;
		at.offset += n;
		if (at.offset == at.part->iov_len)
			at = (struct cursor){ at.part + 1, 0 };
	}
	if (!mitosis_record_fits(parts, count))
		return 0;
	*cursor = at;
	return count;
}

static int send_record(struct sealing *s, struct socket *socket, const struct kvec *text,
		       size_t count, size_t size, bool more)
{
	struct kvec sealed[] = {
		{ &s->out->header, sizeof(s->out->header) },
		{ s->out_buffer, size },
		{ s->out->tag, sizeof(s->out->tag) },
	};
	int err = mitosis_record_seal(s->out, text, count, size, s->out_buffer);

	return err
		       ?: mitosis_transport_send(socket, sealed, ARRAY_SIZE(sealed),
						 RECORD_EXTRA + size, more);
}

int mitosis_sealing_send(struct sealing *s, struct socket *socket, const struct kvec *parts,
			 size_t size)
{
	struct cursor cursor = { parts, 0 };
	int err = 0;

	while (size && !err) {
		struct kvec text[RECORD_PIECES_MAX];
		size_t n = min_t(size_t, size, s->out_size);
		size_t count = take(&cursor, n, text);

		if (!count)
			return -EMSGSIZE;
		size -= n;
		err = send_record(s, socket, text, count, n, size);
	}
	return err;
}

/* Receives and opens the rest of the record whose header has come. */
static int receive_record(struct sealing *s, struct socket *socket, struct kvec *parts,
			  size_t count, unsigned int ms)
{
	int err;

	parts[count] = (struct kvec){ s->in->tag, sizeof(s->in->tag) };
	err = mitosis_transport_receive(socket, parts, count + 1,
					s->in->header.size + sizeof(s->in->tag), ms);
	if (err)
		return mitosis_transport_error(err);
	return mitosis_record_open(s->in, parts, count);
}

/*
 * Receives the next record: to the cursor, which it moves, if all of its text is wanted
 * there, else to the buffer.
 */
static int receive_next(struct sealing *s, struct socket *socket, struct cursor *cursor,
			size_t *size, unsigned int first_ms, unsigned int ms)
{
	struct kvec header = { &s->in->header, sizeof(s->in->header) };
	struct kvec text[RECORD_PIECES_MAX + 1]; /* and the tag */
	size_t count = 0;
	u32 n;
	int err = mitosis_transport_receive(socket, &header, 1, sizeof(s->in->header), first_ms);

	if (!err)
		err = mitosis_record_check_header(s->in);
	if (err)
		return err;
	n = s->in->header.size;
	if (n <= *size)
		count = take(cursor, n, text);
	if (count) {
		*size -= n;
		return receive_record(s, socket, text, count, ms);
	}
	if (n > s->in_size)
		return -EMSGSIZE;
	text[0] = (struct kvec){ s->in_buffer, n };
	err = receive_record(s, socket, text, 1, ms);
	s->begin = 0;
	s->end = err ? 0 : n;
	return err;
}

/* Copies from the buffer to the cursor. */
static size_t copy_buffered(struct sealing *s, struct cursor *cursor, size_t size)
{
	size_t n = min_t(size_t, min_t(size_t, size, s->end - s->begin),
			 cursor->part->iov_len - cursor->offset);

	memcpy(cursor->part->iov_base + cursor->offset, s->in_buffer + s->begin, n);
	s->begin += n;
	cursor->offset += n;
	if (cursor->offset == cursor->part->iov_len)
		*cursor = (struct cursor){ cursor->part + 1, 0 };
	return n;
}

int mitosis_sealing_receive(struct sealing *s, struct socket *socket, const struct kvec *parts,
			    size_t size, unsigned int first_ms, unsigned int ms)
{
	struct cursor cursor = { parts, 0 };
	const size_t all = size;
	unsigned long end = 0; /* from the first record on */
	unsigned int left_ms;
	int err;

	while (size) {
		if (s->begin < s->end) {
			size -= copy_buffered(s, &cursor, size);
			continue;
		}
		/* One deadline: records of a byte each would put it off. */
		if (end && time_after_eq(jiffies, end))
			return -ETIMEDOUT;
		left_ms = end ? jiffies_to_msecs(end - jiffies) : ms;
		err = receive_next(s, socket, &cursor, &size, size == all ? first_ms : left_ms,
				   left_ms);
		if (!end)
			end = jiffies + mitosis_transport_timeout(ms);
		if (err)
			return size == all ? err : mitosis_transport_error(err);
	}
	return 0;
}
