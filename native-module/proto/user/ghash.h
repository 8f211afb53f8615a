/* SPDX-License-Identifier: Apache-2.0 */
/* The field of GHASH, as POLYVAL's: see aes_gcm.c. */
#ifndef PROTO_USER_GHASH_H
#define PROTO_USER_GHASH_H

#include <immintrin.h>

/* The sum of products before its reduction. */
struct sum {
	__m128i low, middle, high;
};

static inline __attribute__((always_inline, target("pclmul,sse4.1"))) __m128i
reduced(const struct sum *sum)
{
	const __m128i poly = _mm_set_epi64x(0, (long long)0xc200000000000000);
	__m128i low = _mm_xor_si128(sum->low, _mm_slli_si128(sum->middle, 8));
	__m128i high = _mm_xor_si128(sum->high, _mm_srli_si128(sum->middle, 8));

	low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e),
			    _mm_clmulepi64_si128(low, poly, 0x00));
	low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e),
			    _mm_clmulepi64_si128(low, poly, 0x00));
	return _mm_xor_si128(high, low);
}

#endif /* PROTO_USER_GHASH_H */
