// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "proto/user/sealing.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/user/aes_gcm_wide.h"

/* Asked for once in a process: 0 not yet. */
static bool is_wide(void)
{
	static _Atomic int answer;

	if (!answer)
		answer = aes_gcm_wide_available() ? 1 : -1;
	return answer > 0;
}

struct sealing *sealing_create(const struct wire_secrets *secrets, bool is_client)
{
	struct sealing *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	if (madvise(s, sizeof(*s), MADV_DONTFORK) ||
	    madvise(s, sizeof(*s), MADV_DONTDUMP)) {
		munmap(s, sizeof(*s));
		return NULL;
	}
	sealing_init(s, is_client ? &secrets->server : &secrets->client, 0,
		     is_client ? &secrets->client : &secrets->server, 0, is_wide());
	return s;
}

void sealing_destroy(struct sealing *s)
{
	if (s)
		munmap(s, sizeof(*s));
}

void sealing_init(struct sealing *s, const struct wire_record_secret *in,
		  uint64_t in_number, const struct wire_record_secret *out,
		  uint64_t out_number, bool wide)
{
	s->in_secret = *in;
	s->out_secret = *out;
	record_direction_init(&s->in, in, in_number, wide);
	record_direction_init(&s->out, out, out_number, wide);
}

static struct wire_record message_header(const struct sealing *s)
{
	struct wire_record header;

	memcpy(&header, s->message, sizeof(header));
	return header;
}

int sealing_message_size(const struct sealing *s)
{
	const struct wire_record header = message_header(s);
	int err = record_check_header(&s->in, &header);

	if (err)
		return err;
	return header.size <= SEALED_MESSAGE_MAX ? (int)(RECORD_EXTRA + header.size)
						 : -EMSGSIZE;
}

int sealing_open_message(struct sealing *s, uint8_t *text)
{
	const struct wire_record header = message_header(s);
	int err = record_open(&s->in, &header, s->message + sizeof(header), text);

	return err ? err : (int)header.size;
}
