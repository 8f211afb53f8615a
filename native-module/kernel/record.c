// SPDX-License-Identifier: GPL-2.0
#include "record.h"

#include <crypto/aead.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

static struct crypto_aead *new_cipher(void)
{
	/* May be one that answers later, in another thread: crypto_wait_req() waits for it. */
	return crypto_alloc_aead("gcm(aes)", 0, 0);
}

int mitosis_record_available(void)
{
	struct crypto_aead *cipher = new_cipher();

	if (IS_ERR(cipher))
		return PTR_ERR(cipher);
	crypto_free_aead(cipher);
	return 0;
}

static int set_secret(struct record_direction *d, const struct wire_record_secret *secret)
{
	int err = crypto_aead_setkey(d->cipher, secret->key, sizeof(secret->key));

	memcpy(d->iv, secret->iv, sizeof(d->iv));
	return err ?: crypto_aead_setauthsize(d->cipher, sizeof(d->tag));
}

struct record_direction *mitosis_record_create(const struct wire_record_secret *secret)
{
	struct record_direction *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int err;

	if (!d)
		return ERR_PTR(-ENOMEM);
	d->cipher = new_cipher();
	if (IS_ERR(d->cipher)) {
		err = PTR_ERR(d->cipher);
		d->cipher = NULL;
		goto err_direction;
	}
	d->request = aead_request_alloc(d->cipher, GFP_KERNEL);
	err = d->request ? set_secret(d, secret) : -ENOMEM;
	if (!err)
		return d;
err_direction:
	mitosis_record_destroy(d);
	return ERR_PTR(err);
}

void mitosis_record_destroy(struct record_direction *d)
{
	if (!d)
		return;
	aead_request_free(d->request);
	if (d->cipher)
		crypto_free_aead(d->cipher);
	kfree_sensitive(d);
}

/* How much of `size` bytes at `at` lies in its page. */
static size_t in_page(const void *at, size_t size)
{
	return min_t(size_t, size, PAGE_SIZE - offset_in_page(at));
}

bool mitosis_record_fits(const struct kvec *parts, size_t count)
{
	size_t pieces = 0, i;

	for (i = 0; i < count; i++)
		pieces += DIV_ROUND_UP(offset_in_page(parts[i].iov_base) + parts[i].iov_len,
				       PAGE_SIZE);
	return pieces <= RECORD_PIECES_MAX;
}

static struct scatterlist *add_pieces(struct scatterlist *entry, const void *bytes, size_t size)
{
	while (size) {
		size_t n = in_page(bytes, size);
		/* Stacks, large buffers and static memory are mapped a second time. */
		struct page *page =
			virt_addr_valid(bytes) ? virt_to_page(bytes) : vmalloc_to_page(bytes);

		sg_set_page(entry++, page, n, offset_in_page(bytes));
		bytes += n;
		size -= n;
	}
	return entry;
}

/* Header, text and tag, as the cipher takes them. The text must fit. */
static void list_pieces(struct record_direction *d, struct scatterlist *entries,
			const struct kvec *parts, size_t count)
{
	struct scatterlist *entry = entries;
	size_t i;

	sg_init_table(entries, ARRAY_SIZE(d->from));
	entry = add_pieces(entry, &d->header, sizeof(d->header));
	for (i = 0; i < count; i++)
		entry = add_pieces(entry, parts[i].iov_base, parts[i].iov_len);
	entry = add_pieces(entry, d->tag, sizeof(d->tag));
	sg_mark_end(entry - 1);
}

static void make_nonce(struct record_direction *d)
{
	size_t i;

	memcpy(d->nonce, d->iv, sizeof(d->nonce));
	for (i = 0; i < sizeof(d->number); i++)
		d->nonce[sizeof(d->nonce) - 1 - i] ^= d->number >> 8 * i;
}

static int crypt(struct record_direction *d, int (*operation)(struct aead_request *),
		 struct scatterlist *from, struct scatterlist *to, u32 size)
{
	DECLARE_CRYPTO_WAIT(wait);
	int err;

	make_nonce(d);
	aead_request_set_callback(d->request, CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP,
				  crypto_req_done, &wait);
	aead_request_set_ad(d->request, sizeof(d->header));
	aead_request_set_crypt(d->request, from, to, size, d->nonce);
	err = crypto_wait_req(operation(d->request), &wait);
	if (!err)
		d->number++;
	return err;
}

int mitosis_record_seal(struct record_direction *d, const struct kvec *parts, size_t count,
			u32 size, void *sealed)
{
	const struct kvec whole = { sealed, size };

	d->header = (struct wire_record){
		.magic = WIRE_RECORD_MAGIC,
		.size = size,
		.number = d->number,
	};
	if (!mitosis_record_fits(parts, count) || !mitosis_record_fits(&whole, 1))
		return -EMSGSIZE;
	list_pieces(d, d->from, parts, count);
	list_pieces(d, d->to, &whole, 1);
	return crypt(d, crypto_aead_encrypt, d->from, d->to, size);
}

int mitosis_record_check_header(const struct record_direction *d)
{
	if (d->header.magic != WIRE_RECORD_MAGIC)
		return -EPROTO;
	if (!d->header.size || d->header.size > WIRE_RECORD_TEXT_MAX)
		return -EMSGSIZE;
	if (d->header.number < d->number)
		return -EALREADY;
	return d->header.number > d->number ? -EILSEQ : 0;
}

int mitosis_record_open(struct record_direction *d, const struct kvec *parts, size_t count)
{
	if (!mitosis_record_fits(parts, count))
		return -EMSGSIZE;
	list_pieces(d, d->from, parts, count);
	return crypt(d, crypto_aead_decrypt, d->from, d->from, d->header.size + sizeof(d->tag));
}
