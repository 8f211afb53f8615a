// SPDX-License-Identifier: Apache-2.0
/*
 * Everything that holds bytes of a key is wiped before it is left: this runs in
 * processes that become snapshots, with the stack below the current frame.
 */
#define _GNU_SOURCE
#include "proto/user/sha256.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

/* As explicit_bzero(), which a shadow cannot call. */
static void wipe(void *bytes, size_t size)
{
	volatile uint32_t *word = bytes;

	for (; size; size -= sizeof(*word))
		*word++ = 0;
}

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void store(uint8_t *p, uint32_t x)
{
	p[0] = x >> 24;
	p[1] = x >> 16;
	p[2] = x >> 8;
	p[3] = x;
}

static void compress(uint32_t state[8], const uint8_t block[SHA256_BLOCK])
{
	uint32_t w[64], s[8];
	int i;

	for (i = 0; i < 16; i++)
		w[i] = load(block + 4 * i);
	for (; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
	memcpy(s, state, sizeof(s));
	for (i = 0; i < 64; i++) {
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		uint32_t t1 =
			s[7] +
			(rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
			choice + round_constants[i] + w[i];
		uint32_t t2 =
			(rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
			majority;

		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
	wipe(w, sizeof(w));
	wipe(s, sizeof(s));
}

#define TARGET __attribute__((target("sha,ssse3,sse4.1")))

static bool cpu_has_it(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) &&
	       (c & bit_SSE4_1) && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
	       (b & bit_SHA);
}

/*
 * sha256rnds2 has half of the state in each register: A, B, E, F and C, D, G, H, the first of them
 * highest. `w` are the last 16 words of the schedule, four in each.
 */
static TARGET void compress_by_cpu(uint32_t state[8], const uint8_t *blocks,
				   size_t count)
{
	const __m128i big_endian =
		_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
	__m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const void *)state), 0xb1);
	__m128i hgfe =
		_mm_shuffle_epi32(_mm_loadu_si128((const void *)(state + 4)), 0x1b);
	__m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
	__m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
	__m128i feba, dchg;

	for (; count; count--, blocks += SHA256_BLOCK) {
		const __m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w[4];
		int i;

		for (i = 0; i < 4; i++)
			w[i] = _mm_shuffle_epi8(
				_mm_loadu_si128((const void *)(blocks + 16 * i)),
				big_endian);
		for (i = 0; i < 16; i++) {
			const __m128i k = _mm_loadu_si128(
				(const void *)(round_constants + 4 * i));
			const __m128i next = w[(i + 1) % 4], last = w[(i + 3) % 4];
			__m128i *now = &w[i % 4];
			__m128i sum = _mm_add_epi32(*now, k);

			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
			abef = _mm_sha256rnds2_epu32(abef, cdgh,
						     _mm_shuffle_epi32(sum, 0x0e));
			*now = _mm_sha256msg2_epu32(
				_mm_add_epi32(_mm_sha256msg1_epu32(*now, next),
					      _mm_alignr_epi8(last, w[(i + 2) % 4],
							      4)),
				last);
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	feba = _mm_shuffle_epi32(abef, 0x1b);
	dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static void compress_blocks(struct sha256 *h, const uint8_t *blocks, size_t count)
{
	if (h->by_cpu) {
		compress_by_cpu(h->state, blocks, count);
		return;
	}
	for (; count; count--, blocks += SHA256_BLOCK)
		compress(h->state, blocks);
}

void sha256_init(struct sha256 *h)
{
	/* Fractional parts of the square roots of the first 8 primes. */
	static const uint32_t initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(h->state, initial, sizeof(initial));
	h->size = 0;
	h->by_cpu = false;
}

void sha256_init_bulk(struct sha256 *h)
{
	sha256_init(h);
	h->by_cpu = cpu_has_it();
}

void sha256_update(struct sha256 *h, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size) {
		size_t used = h->size % SHA256_BLOCK;
		size_t n = SHA256_BLOCK - used < size ? SHA256_BLOCK - used : size;

		if (!used && size >= SHA256_BLOCK) {
			n = size - size % SHA256_BLOCK;
			compress_blocks(h, p, n / SHA256_BLOCK);
		} else {
			memcpy(h->block + used, p, n);
			if (used + n == SHA256_BLOCK)
				compress_blocks(h, h->block, 1);
		}
		h->size += n;
		p += n;
		size -= n;
	}
}

void sha256_final(struct sha256 *h, uint8_t digest[SHA256_SIZE])
{
	static const uint8_t padding[SHA256_BLOCK] = { 0x80 };
	uint64_t bits = h->size * 8;
	size_t used = h->size % SHA256_BLOCK;
	uint8_t length[8];
	int i;

	store(length, bits >> 32);
	store(length + 4, bits);
	sha256_update(h, padding, (used < 56 ? 56 : 120) - used);
	sha256_update(h, length, sizeof(length));
	for (i = 0; i < 8; i++)
		store(digest + 4 * i, h->state[i]);
}

void hmac_sha256(const void *key, size_t key_size, const struct hmac_part *parts,
		 size_t part_count, uint8_t mac[SHA256_SIZE])
{
	uint8_t block[SHA256_BLOCK] = { 0 };
	struct sha256 h;
	size_t i;

	if (key_size > SHA256_BLOCK) {
		sha256_init(&h);
		sha256_update(&h, key, key_size);
		sha256_final(&h, block);
	} else {
		memcpy(block, key, key_size);
	}
	for (i = 0; i < SHA256_BLOCK; i++)
		block[i] ^= 0x36;
	sha256_init(&h);
	sha256_update(&h, block, SHA256_BLOCK);
	for (i = 0; i < part_count; i++)
		sha256_update(&h, parts[i].bytes, parts[i].size);
	sha256_final(&h, mac);
	for (i = 0; i < SHA256_BLOCK; i++)
		block[i] ^= 0x36 ^ 0x5c;
	sha256_init(&h);
	sha256_update(&h, block, SHA256_BLOCK);
	sha256_update(&h, mac, SHA256_SIZE);
	sha256_final(&h, mac);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(&h, sizeof(h));
}

int mac_equal(const uint8_t a[SHA256_SIZE], const uint8_t b[SHA256_SIZE])
{
	uint8_t difference = 0;
	int i;

	for (i = 0; i < SHA256_SIZE; i++)
		difference |= a[i] ^ b[i];
	return !difference;
}
