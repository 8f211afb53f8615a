// SPDX-License-Identifier: Apache-2.0
/*
 * GHASH is computed as POLYVAL (RFC 8452, appendix A): with the bytes of each
 * block reversed and H multiplied by x, GCM's field has the bit order of the
 * multiplication instruction. The product of two elements is reduced by two
 * multiplications with the upper bits of x^128 + x^127 + x^126 + x^121 + 1, which
 * also divides it by x^128, as POLYVAL's product is defined.
 */
#include "proto/user/aes_gcm.h"

#include <cpuid.h>
#include <immintrin.h>

#include "proto/user/aes_gcm_wide.h"
#include "proto/user/ghash.h"

#define TARGET __attribute__((target("aes,pclmul,ssse3,sse4.1")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define LANES  8 /* blocks that are worked on at once */
#define BLOCK  16u

bool aes_gcm_available(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AES) && (c & bit_PCLMUL) &&
	       (c & bit_SSSE3) && (c & bit_SSE4_1);
}

INLINE __m128i load(const void *p)
{
	return _mm_loadu_si128(p);
}

INLINE void store(void *p, __m128i v)
{
	_mm_storeu_si128(p, v);
}

INLINE __m128i reversed(__m128i v)
{
	return _mm_shuffle_epi8(v, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
						12, 13, 14, 15));
}

INLINE void add_product(struct sum *sum, __m128i a, __m128i b)
{
	sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(a, b, 0x00));
	sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(a, b, 0x11));
	sum->middle = _mm_xor_si128(sum->middle,
				    _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01),
						  _mm_clmulepi64_si128(a, b, 0x10)));
}

INLINE __m128i product(__m128i a, __m128i b)
{
	struct sum sum = { 0 };

	add_product(&sum, a, b);
	return reduced(&sum);
}

/* A times x. */
INLINE __m128i doubled(__m128i a)
{
	const __m128i poly = _mm_set_epi64x((long long)0xc200000000000000, 1);
	__m128i carries = _mm_srli_epi64(a, 63);
	__m128i top = _mm_shuffle_epi32(_mm_srai_epi32(a, 31), 0xff);

	return _mm_xor_si128(_mm_or_si128(_mm_slli_epi64(a, 1),
					  _mm_slli_si128(carries, 8)),
			     _mm_and_si128(top, poly));
}

INLINE __m128i encrypted(const struct aes_gcm *gcm, __m128i block)
{
	int i;

	block = _mm_xor_si128(block, load(gcm->round_keys[0]));
	for (i = 1; i < 10; i++)
		block = _mm_aesenc_si128(block, load(gcm->round_keys[i]));
	return _mm_aesenclast_si128(block, load(gcm->round_keys[10]));
}

INLINE __m128i next_key(__m128i key, __m128i assist)
{
	key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
	key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
	return _mm_xor_si128(key, _mm_shuffle_epi32(assist, 0xff));
}

/* The round constant has to be an immediate. */
#define EXPAND(i, constant)                                                         \
	do {                                                                        \
		key = next_key(key, _mm_aeskeygenassist_si128(key, constant));      \
		store(gcm->round_keys[i], key);                                     \
	} while (0)

TARGET void aes_gcm_init(struct aes_gcm *gcm, const uint8_t bytes[AES_GCM_KEY_SIZE],
			 bool wide)
{
	__m128i key = load(bytes), h, power;
	int i;

	store(gcm->round_keys[0], key);
	EXPAND(1, 0x01);
	EXPAND(2, 0x02);
	EXPAND(3, 0x04);
	EXPAND(4, 0x08);
	EXPAND(5, 0x10);
	EXPAND(6, 0x20);
	EXPAND(7, 0x40);
	EXPAND(8, 0x80);
	EXPAND(9, 0x1b);
	EXPAND(10, 0x36);
	h = doubled(reversed(encrypted(gcm, _mm_setzero_si128())));
	power = h;
	for (i = AES_GCM_POWERS; i-- > 0;) {
		store(gcm->powers[i], power);
		power = product(power, h);
	}
	gcm->wide = wide;
}

INLINE __m128i power_of(const struct aes_gcm *gcm, int exponent)
{
	return load(gcm->powers[AES_GCM_POWERS - exponent]);
}

/* Up to 15 bytes, the rest zeros. */
INLINE __m128i load_part(const uint8_t *p, size_t size)
{
	uint8_t block[BLOCK] = { 0 };
	size_t i;

	for (i = 0; i < size; i++)
		block[i] = p[i];
	return load(block);
}

INLINE __m128i hash(const struct aes_gcm *gcm, __m128i state, __m128i block)
{
	return product(_mm_xor_si128(state, reversed(block)), power_of(gcm, 1));
}

INLINE __m128i hash_bytes(const struct aes_gcm *gcm, __m128i state, const uint8_t *p,
			  size_t size)
{
	for (; size >= BLOCK; p += BLOCK, size -= BLOCK)
		state = hash(gcm, state, load(p));
	return size ? hash(gcm, state, load_part(p, size)) : state;
}

INLINE __m128i hash_lanes(const struct aes_gcm *gcm, __m128i state,
			  const __m128i blocks[LANES])
{
	struct sum sum = { 0 };
	int i;

	add_product(&sum, _mm_xor_si128(state, reversed(blocks[0])),
		    power_of(gcm, LANES));
#pragma GCC unroll 8
	for (i = 1; i < LANES; i++)
		add_product(&sum, reversed(blocks[i]), power_of(gcm, LANES - i));
	return reduced(&sum);
}

/* A counter block with the counter as the lowest 32 bits, bytes reversed. */
INLINE __m128i first_counter(const uint8_t nonce[AES_GCM_NONCE_SIZE])
{
	uint8_t block[BLOCK] = { 0 };
	size_t i;

	for (i = 0; i < AES_GCM_NONCE_SIZE; i++)
		block[i] = nonce[i];
	block[BLOCK - 1] = 1;
	return reversed(load(block));
}

INLINE __m128i keystream(const struct aes_gcm *gcm, __m128i *counter)
{
	*counter = _mm_add_epi32(*counter, _mm_set_epi32(0, 0, 0, 1));
	return encrypted(gcm, reversed(*counter));
}

INLINE void keystream_lanes(const struct aes_gcm *gcm, __m128i *counter,
			    __m128i blocks[LANES])
{
	const __m128i one = _mm_set_epi32(0, 0, 0, 1);
	__m128i key = load(gcm->round_keys[0]);
	int i, round;

#pragma GCC unroll 8
	for (i = 0; i < LANES; i++) {
		*counter = _mm_add_epi32(*counter, one);
		blocks[i] = _mm_xor_si128(reversed(*counter), key);
	}
	for (round = 1; round < 10; round++) {
		key = load(gcm->round_keys[round]);
#pragma GCC unroll 8
		for (i = 0; i < LANES; i++)
			blocks[i] = _mm_aesenc_si128(blocks[i], key);
	}
	key = load(gcm->round_keys[10]);
#pragma GCC unroll 8
	for (i = 0; i < LANES; i++)
		blocks[i] = _mm_aesenclast_si128(blocks[i], key);
}

/* The state of the hash after the associated data and all bytes as they are sealed. */
INLINE __m128i crypt(const struct aes_gcm *gcm, __m128i state, __m128i counter,
		     const uint8_t *in, uint8_t *out, size_t size, bool seal)
{
	__m128i blocks[LANES], sealed[LANES];
	bool pending = false;
	size_t i;

	if (gcm->wide) {
		size_t done = seal ? aes_gcm_seal_wide(gcm, &state, &counter, in,
						       out, size)
				   : aes_gcm_open_wide(gcm, &state, &counter, in,
						       out, size);

		in += done;
		out += done;
		size -= done;
	}
	/* A step is hashed beside the next one's encryption: both units are busy. */
	for (; size >= sizeof(blocks); size -= sizeof(blocks)) {
		keystream_lanes(gcm, &counter, blocks);
		if (seal && pending)
			state = hash_lanes(gcm, state, sealed);
#pragma GCC unroll 8
		for (i = 0; i < LANES; i++) {
			__m128i text = load(in + i * BLOCK);

			blocks[i] = _mm_xor_si128(blocks[i], text);
			sealed[i] = seal ? blocks[i] : text;
			store(out + i * BLOCK, blocks[i]);
		}
		if (!seal)
			state = hash_lanes(gcm, state, sealed);
		pending = true;
		in += sizeof(blocks);
		out += sizeof(blocks);
	}
	if (seal && pending)
		state = hash_lanes(gcm, state, sealed);
	for (; size >= BLOCK; size -= BLOCK, in += BLOCK, out += BLOCK) {
		__m128i text = load(in);
		__m128i result = _mm_xor_si128(text, keystream(gcm, &counter));

		store(out, result);
		state = hash(gcm, state, seal ? result : text);
	}
	if (size) {
		uint8_t rest[BLOCK];
		__m128i text = load_part(in, size);

		store(rest, _mm_xor_si128(text, keystream(gcm, &counter)));
		for (i = 0; i < size; i++)
			out[i] = rest[i];
		state = hash(gcm, state, seal ? load_part(rest, size) : text);
	}
	return state;
}

INLINE __m128i crypt_and_tag(const struct aes_gcm *gcm,
			     const uint8_t nonce[AES_GCM_NONCE_SIZE],
			     const void *aad, size_t aad_size, const void *in,
			     void *out, size_t size, bool seal)
{
	__m128i first = first_counter(nonce);
	__m128i state = hash_bytes(gcm, _mm_setzero_si128(), aad, aad_size);

	state = crypt(gcm, state, first, in, out, size, seal);
	state = product(_mm_xor_si128(state, _mm_set_epi64x(aad_size * 8, size * 8)),
			power_of(gcm, 1));
	return _mm_xor_si128(reversed(state), encrypted(gcm, reversed(first)));
}

TARGET void aes_gcm_seal(const struct aes_gcm *gcm,
			 const uint8_t nonce[AES_GCM_NONCE_SIZE], const void *aad,
			 size_t aad_size, const void *text, void *sealed,
			 size_t size, uint8_t tag[AES_GCM_TAG_SIZE])
{
	store(tag,
	      crypt_and_tag(gcm, nonce, aad, aad_size, text, sealed, size, true));
}

TARGET bool aes_gcm_open(const struct aes_gcm *gcm,
			 const uint8_t nonce[AES_GCM_NONCE_SIZE], const void *aad,
			 size_t aad_size, const void *sealed, void *text,
			 size_t size, const uint8_t tag[AES_GCM_TAG_SIZE])
{
	__m128i made =
		crypt_and_tag(gcm, nonce, aad, aad_size, sealed, text, size, false);
	__m128i difference = _mm_xor_si128(made, load(tag));

	return _mm_testz_si128(difference, difference);
}
