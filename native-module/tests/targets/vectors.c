// SPDX-License-Identifier: Apache-2.0
/* SSE, AVX and AVX-512 work after resume, on pages not yet there. */
#include <immintrin.h>
#include <sys/mman.h>

#include "tests/targets/target.h"

#define FLOATS (MIB / sizeof(float))

static float sum_sse(const float *v)
{
	__m128 sum = _mm_setzero_ps();
	float lanes[4];
	size_t i;

	for (i = 0; i < FLOATS; i += 4)
		sum = _mm_add_ps(sum, _mm_loadu_ps(v + i));
	_mm_storeu_ps(lanes, sum);
	return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

static float __attribute__((target("avx"))) sum_avx(const float *v)
{
	__m256 sum = _mm256_setzero_ps();
	float lanes[8], total = 0;
	size_t i;

	for (i = 0; i < FLOATS; i += 8)
		sum = _mm256_add_ps(sum, _mm256_loadu_ps(v + i));
	_mm256_storeu_ps(lanes, sum);
	for (i = 0; i < 8; i++)
		total += lanes[i];
	return total;
}

static float __attribute__((target("avx512f"))) sum_avx512(const float *v)
{
	__m512 sum = _mm512_setzero_ps();
	size_t i;

	for (i = 0; i < FLOATS; i += 16)
		sum = _mm512_add_ps(sum, _mm512_loadu_ps(v + i));
	return _mm512_reduce_add_ps(sum);
}

int main(void)
{
	float *v[3];
	size_t i, set;

	for (set = 0; set < 3; set++) {
		v[set] = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(v[set] != MAP_FAILED);
		for (i = 0; i < FLOATS; i++)
			v[set][i] = 1 + i % 2;
		target_overwrites(v[set], MIB);
	}
	target_prepare();

	CHECK_EQ(sum_sse(v[0]), FLOATS / 2 * 3);
	if (__builtin_cpu_supports("avx"))
		CHECK_EQ(sum_avx(v[1]), FLOATS / 2 * 3);
	if (__builtin_cpu_supports("avx512f"))
		CHECK_EQ(sum_avx512(v[2]), FLOATS / 2 * 3);
	target_child_has("vector registers", "kept");
	return 0;
}
