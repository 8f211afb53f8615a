// SPDX-License-Identifier: Apache-2.0
/* The same arithmetic as in aes_gcm.c, on four blocks in each register. */
#include "proto/user/aes_gcm_wide.h"

#include <cpuid.h>

#include "proto/cpu_features.h"
#include "proto/user/ghash.h"

#define WIDE                                                                        \
	__attribute__((target("aes,pclmul,ssse3,sse4.1,avx512f,avx512bw,avx512vl,"  \
			      "vaes,vpclmulqdq")))
#define INLINE	  static inline __attribute__((always_inline)) WIDE
#define REGISTERS 4
#define LANES	  4

/* Bits of XCR0: the system keeps what AVX-512 uses (SSE, AVX, masks, both halves). */
#define XCR0_AVX512 0xe6u

bool aes_gcm_wide_available(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) &&
	       (cpu_features_xcr0() & XCR0_AVX512) == XCR0_AVX512 &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX512F) &&
	       (b & bit_AVX512BW) && (b & bit_AVX512VL) && (c & bit_VAES) &&
	       (c & bit_VPCLMULQDQ);
}

INLINE __m512i reversed4(__m512i v)
{
	return _mm512_shuffle_epi8(
		v, _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
						       10, 11, 12, 13, 14, 15)));
}

INLINE __m128i sum_of_lanes(__m512i v)
{
	__m256i half = _mm256_xor_si256(_mm512_castsi512_si256(v),
					_mm512_extracti64x4_epi64(v, 1));

	return _mm_xor_si128(_mm256_castsi256_si128(half),
			     _mm256_extracti128_si256(half, 1));
}

INLINE __m128i hash_wide(const struct aes_gcm *gcm, __m128i state,
			 const __m512i blocks[REGISTERS])
{
	__m512i low = _mm512_setzero_si512(), middle = low, high = low;
	int i;

#pragma GCC unroll 4
	for (i = 0; i < REGISTERS; i++) {
		__m512i a = reversed4(blocks[i]);
		__m512i b = _mm512_loadu_si512(gcm->powers[i * LANES]);

		if (i == 0)
			a = _mm512_xor_si512(
				a, _mm512_inserti32x4(_mm512_setzero_si512(), state,
						      0));
		low = _mm512_xor_si512(low, _mm512_clmulepi64_epi128(a, b, 0x00));
		high = _mm512_xor_si512(high, _mm512_clmulepi64_epi128(a, b, 0x11));
		middle = _mm512_ternarylogic_epi64(
			middle, _mm512_clmulepi64_epi128(a, b, 0x01),
			_mm512_clmulepi64_epi128(a, b, 0x10), 0x96);
	}
	return reduced(&(struct sum){ sum_of_lanes(low), sum_of_lanes(middle),
				      sum_of_lanes(high) });
}

INLINE __m512i broadcast_key(const struct aes_gcm *gcm, int round)
{
	return _mm512_broadcast_i32x4(
		_mm_loadu_si128((const __m128i *)gcm->round_keys[round]));
}

INLINE void keystream_wide(const struct aes_gcm *gcm, __m512i *counters,
			   __m512i blocks[REGISTERS])
{
	const __m512i step = _mm512_broadcast_i32x4(_mm_set_epi32(0, 0, 0, LANES));
	__m512i key = broadcast_key(gcm, 0);
	int i, round;

#pragma GCC unroll 4
	for (i = 0; i < REGISTERS; i++) {
		blocks[i] = _mm512_xor_si512(reversed4(*counters), key);
		*counters = _mm512_add_epi32(*counters, step);
	}
#pragma GCC unroll 9
	for (round = 1; round < 10; round++) {
		key = broadcast_key(gcm, round);
#pragma GCC unroll 4
		for (i = 0; i < REGISTERS; i++)
			blocks[i] = _mm512_aesenc_epi128(blocks[i], key);
	}
	key = broadcast_key(gcm, 10);
#pragma GCC unroll 4
	for (i = 0; i < REGISTERS; i++)
		blocks[i] = _mm512_aesenclast_epi128(blocks[i], key);
}

INLINE size_t crypt_wide(const struct aes_gcm *gcm, __m128i *state, __m128i *counter,
			 const uint8_t *in, uint8_t *out, size_t size, bool seal)
{
	const __m512i ahead =
		_mm512_set_epi32(0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1);
	__m512i counters = _mm512_add_epi32(_mm512_broadcast_i32x4(*counter), ahead);
	__m512i blocks[REGISTERS], sealed[REGISTERS];
	size_t done;
	int i;

	/* A step is hashed beside the next one's encryption: both units are busy. */
	for (done = 0; size - done >= sizeof(blocks); done += sizeof(blocks)) {
		keystream_wide(gcm, &counters, blocks);
		if (seal && done)
			*state = hash_wide(gcm, *state, sealed);
#pragma GCC unroll 4
		for (i = 0; i < REGISTERS; i++) {
			size_t at = done + i * sizeof(*blocks);
			__m512i text = _mm512_loadu_si512(in + at);

			blocks[i] = _mm512_xor_si512(blocks[i], text);
			sealed[i] = seal ? blocks[i] : text;
			_mm512_storeu_si512(out + at, blocks[i]);
		}
		if (!seal)
			*state = hash_wide(gcm, *state, sealed);
	}
	if (seal && done)
		*state = hash_wide(gcm, *state, sealed);
	*counter = _mm_add_epi32(*counter, _mm_set_epi32(0, 0, 0, done / 16));
	return done;
}

WIDE size_t aes_gcm_seal_wide(const struct aes_gcm *gcm, __m128i *state,
			      __m128i *counter, const uint8_t *text, uint8_t *sealed,
			      size_t size)
{
	return crypt_wide(gcm, state, counter, text, sealed, size, true);
}

WIDE size_t aes_gcm_open_wide(const struct aes_gcm *gcm, __m128i *state,
			      __m128i *counter, const uint8_t *sealed, uint8_t *text,
			      size_t size)
{
	return crypt_wide(gcm, state, counter, sealed, text, size, false);
}
