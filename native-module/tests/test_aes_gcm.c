// SPDX-License-Identifier: Apache-2.0
/*
 * AES-128-GCM, by single registers and, where the CPU can, by wide ones: test cases 1 to 4
 * of the GCM specification (McGrew and Viega, 2005, appendix B), every size up to several
 * steps against libcrypto where that is installed, and whatever is changed is noticed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "proto/user/aes_gcm.h"
#include "proto/user/aes_gcm_wide.h"
#include "tests/harness.h"

#define SIZE_MAX_TRIED	      1100u
#define EVP_CTRL_AEAD_GET_TAG 0x10

static bool wide;

struct vector {
	const char *key, *nonce, *aad, *text, *sealed, *tag;
};

#define TEXT_60                                                                     \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"          \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define SEALED_60                                                                   \
	"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"          \
	"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
#define KEY_3	"feffe9928665731c6d6a8f9467308308"
#define NONCE_3 "cafebabefacedbaddecaf888"

static const struct vector vectors[] = {
	{ "00000000000000000000000000000000", "000000000000000000000000", "", "", "",
	  "58e2fccefa7e3061367f1d57a4e7455a" },
	{ "00000000000000000000000000000000", "000000000000000000000000", "",
	  "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
	  "ab6e47d42cec13bdf53a67b21257bddf" },
	{ KEY_3, NONCE_3, "", TEXT_60 "1aafd255", SEALED_60 "473f5985",
	  "4d5c2af327cd64a62cf35abd2ba6fab4" },
	{ KEY_3, NONCE_3, "feedfacedeadbeeffeedfacedeadbeefabaddad2", TEXT_60,
	  SEALED_60, "5bc94fbc3221a5db94fae95ae7121a47" },
};

static size_t parse(const char *hex, uint8_t *bytes)
{
	size_t i, size = strlen(hex) / 2;

	for (i = 0; i < size; i++)
		CHECK(sscanf(hex + 2 * i, "%2hhx", &bytes[i]) == 1);
	return size;
}

static void published_vectors(void)
{
	uint8_t key[AES_GCM_KEY_SIZE], nonce[AES_GCM_NONCE_SIZE];
	uint8_t aad[32], text[64], sealed[64], tag[AES_GCM_TAG_SIZE];
	uint8_t made[64], made_tag[AES_GCM_TAG_SIZE];
	struct aes_gcm gcm;
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		size_t aad_size = parse(v->aad, aad);
		size_t size = parse(v->text, text);

		CHECK_EQ(parse(v->key, key), sizeof(key));
		CHECK_EQ(parse(v->nonce, nonce), sizeof(nonce));
		CHECK_EQ(parse(v->sealed, sealed), size);
		CHECK_EQ(parse(v->tag, tag), sizeof(tag));
		aes_gcm_init(&gcm, key, wide);
		aes_gcm_seal(&gcm, nonce, aad, aad_size, text, made, size, made_tag);
		CHECK(!memcmp(made, sealed, size));
		CHECK(!memcmp(made_tag, tag, sizeof(tag)));
		CHECK(aes_gcm_open(&gcm, nonce, aad, aad_size, sealed, made, size,
				   tag));
		CHECK(!memcmp(made, text, size));
	}
}

static void fill(uint8_t *bytes, size_t size, uint32_t seed)
{
	size_t i;

	for (i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = seed >> 24;
	}
}

static void sealed_in_place(void)
{
	uint8_t key[AES_GCM_KEY_SIZE], nonce[AES_GCM_NONCE_SIZE];
	uint8_t text[SIZE_MAX_TRIED], sealed[SIZE_MAX_TRIED];
	uint8_t apart[AES_GCM_TAG_SIZE], within[AES_GCM_TAG_SIZE];
	struct aes_gcm gcm;

	fill(key, sizeof(key), 1);
	fill(nonce, sizeof(nonce), 2);
	fill(text, sizeof(text), 3);
	aes_gcm_init(&gcm, key, wide);
	aes_gcm_seal(&gcm, nonce, key, 4, text, sealed, sizeof(text), apart);
	aes_gcm_seal(&gcm, nonce, key, 4, text, text, sizeof(text), within);
	CHECK(!memcmp(text, sealed, sizeof(text)));
	CHECK(!memcmp(apart, within, sizeof(apart)));
	CHECK(aes_gcm_open(&gcm, nonce, key, 4, text, text, sizeof(text), within));
	fill(sealed, sizeof(sealed), 3);
	CHECK(!memcmp(text, sealed, sizeof(text)));
}

static void every_changed_bit_is_noticed(void)
{
	uint8_t key[AES_GCM_KEY_SIZE], nonce[AES_GCM_NONCE_SIZE], aad[20];
	uint8_t sealed[700], text[700], tag[AES_GCM_TAG_SIZE];
	struct aes_gcm gcm;
	struct {
		uint8_t *bytes;
		size_t size;
	} parts[] = {
		{ nonce, sizeof(nonce) },
		{ aad, sizeof(aad) },
		{ sealed, sizeof(sealed) },
		{ tag, sizeof(tag) },
	};
	size_t part, bit;

	fill(key, sizeof(key), 4);
	fill(nonce, sizeof(nonce), 5);
	fill(aad, sizeof(aad), 6);
	fill(text, sizeof(text), 7);
	aes_gcm_init(&gcm, key, wide);
	aes_gcm_seal(&gcm, nonce, aad, sizeof(aad), text, sealed, sizeof(text), tag);
	for (part = 0; part < sizeof(parts) / sizeof(parts[0]); part++)
		for (bit = 0; bit < parts[part].size * 8; bit++) {
			parts[part].bytes[bit / 8] ^= 1 << bit % 8;
			CHECK(!aes_gcm_open(&gcm, nonce, aad, sizeof(aad), sealed,
					    text, sizeof(text), tag));
			parts[part].bytes[bit / 8] ^= 1 << bit % 8;
		}
	CHECK(!aes_gcm_open(&gcm, nonce, aad, sizeof(aad), sealed, text,
			    sizeof(text) - 1, tag));
	CHECK(!aes_gcm_open(&gcm, nonce, aad, sizeof(aad) - 1, sealed, text,
			    sizeof(text), tag));
	CHECK(aes_gcm_open(&gcm, nonce, aad, sizeof(aad), sealed, text, sizeof(text),
			   tag));
}

/* Where there is no libcrypto: the same as by single registers, which the vectors prove. */
static void equal_to_narrow_steps(void)
{
	uint8_t key[AES_GCM_KEY_SIZE], nonce[AES_GCM_NONCE_SIZE];
	uint8_t text[SIZE_MAX_TRIED], narrow[SIZE_MAX_TRIED], ours[SIZE_MAX_TRIED];
	uint8_t narrow_tag[AES_GCM_TAG_SIZE], our_tag[AES_GCM_TAG_SIZE];
	struct aes_gcm gcm, reference;
	size_t size;

	fill(key, sizeof(key), 8);
	fill(nonce, sizeof(nonce), 9);
	fill(text, sizeof(text), 10);
	aes_gcm_init(&gcm, key, wide);
	aes_gcm_init(&reference, key, false);
	for (size = 0; size < SIZE_MAX_TRIED; size++) {
		aes_gcm_seal(&reference, nonce, key, 5, text, narrow, size,
			     narrow_tag);
		aes_gcm_seal(&gcm, nonce, key, 5, text, ours, size, our_tag);
		CHECK(!memcmp(ours, narrow, size));
		CHECK(!memcmp(our_tag, narrow_tag, sizeof(our_tag)));
		CHECK(aes_gcm_open(&gcm, nonce, key, 5, narrow, ours, size,
				   narrow_tag));
		CHECK(!memcmp(ours, text, size));
	}
}

/* What is used of libcrypto, found at run time: the build does not need it. */
static struct {
	void *(*ctx_new)(void);
	void (*ctx_free)(void *ctx);
	const void *(*aes_128_gcm)(void);
	int (*init)(void *ctx, const void *cipher, void *engine, const uint8_t *key,
		    const uint8_t *iv);
	int (*update)(void *ctx, uint8_t *out, int *out_size, const uint8_t *in,
		      int size);
	int (*final)(void *ctx, uint8_t *out, int *out_size);
	int (*ctrl)(void *ctx, int type, int arg, void *p);
} crypto;

static bool find_libcrypto(void)
{
	void *library = dlopen("libcrypto.so.3", RTLD_NOW);

	if (!library)
		return false;
	*(void **)&crypto.ctx_new = dlsym(library, "EVP_CIPHER_CTX_new");
	*(void **)&crypto.ctx_free = dlsym(library, "EVP_CIPHER_CTX_free");
	*(void **)&crypto.aes_128_gcm = dlsym(library, "EVP_aes_128_gcm");
	*(void **)&crypto.init = dlsym(library, "EVP_EncryptInit_ex");
	*(void **)&crypto.update = dlsym(library, "EVP_EncryptUpdate");
	*(void **)&crypto.final = dlsym(library, "EVP_EncryptFinal_ex");
	*(void **)&crypto.ctrl = dlsym(library, "EVP_CIPHER_CTX_ctrl");
	return crypto.ctx_new && crypto.ctx_free && crypto.aes_128_gcm &&
	       crypto.init && crypto.update && crypto.final && crypto.ctrl;
}

static void sealed_by_libcrypto(const uint8_t *key, const uint8_t *nonce,
				const uint8_t *aad, size_t aad_size,
				const uint8_t *text, uint8_t *sealed, size_t size,
				uint8_t *tag)
{
	void *ctx = crypto.ctx_new();
	int n;

	CHECK(ctx);
	CHECK_EQ(crypto.init(ctx, crypto.aes_128_gcm(), NULL, key, nonce), 1);
	CHECK_EQ(crypto.update(ctx, NULL, &n, aad, aad_size), 1);
	CHECK_EQ(crypto.update(ctx, sealed, &n, text, size), 1);
	CHECK_EQ(crypto.final(ctx, sealed + size, &n), 1);
	CHECK_EQ(crypto.ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AES_GCM_TAG_SIZE, tag), 1);
	crypto.ctx_free(ctx);
}

static void equal_to_libcrypto(void)
{
	uint8_t key[AES_GCM_KEY_SIZE], nonce[AES_GCM_NONCE_SIZE], aad[40];
	uint8_t text[SIZE_MAX_TRIED], theirs[SIZE_MAX_TRIED], ours[SIZE_MAX_TRIED];
	uint8_t their_tag[AES_GCM_TAG_SIZE], our_tag[AES_GCM_TAG_SIZE];
	struct aes_gcm gcm;
	size_t size;

	for (size = 0; size < SIZE_MAX_TRIED; size++) {
		fill(key, sizeof(key), size);
		fill(nonce, sizeof(nonce), size + 1);
		fill(aad, sizeof(aad), size + 2);
		fill(text, size, size + 3);
		sealed_by_libcrypto(key, nonce, aad, size % sizeof(aad), text,
				    theirs, size, their_tag);
		aes_gcm_init(&gcm, key, wide);
		aes_gcm_seal(&gcm, nonce, aad, size % sizeof(aad), text, ours, size,
			     our_tag);
		CHECK(!memcmp(ours, theirs, size));
		CHECK(!memcmp(our_tag, their_tag, sizeof(our_tag)));
		CHECK(aes_gcm_open(&gcm, nonce, aad, size % sizeof(aad), theirs,
				   ours, size, their_tag));
		CHECK(!memcmp(ours, text, size));
	}
}

static void check(bool has_libcrypto)
{
	published_vectors();
	sealed_in_place();
	every_changed_bit_is_noticed();
	equal_to_narrow_steps();
	if (has_libcrypto)
		equal_to_libcrypto();
}

int main(void)
{
	bool has_libcrypto = find_libcrypto();

	if (!aes_gcm_available())
		skip("a CPU with AES and PCLMULQDQ");
	check(has_libcrypto);
	wide = true;
	if (aes_gcm_wide_available())
		check(has_libcrypto);
	else
		puts("not tried: VAES and VPCLMULQDQ on registers of 512 bits");
	if (!has_libcrypto)
		skip("libcrypto.so.3, to compare with (the published vectors "
		     "agree)");
	return 0;
}
