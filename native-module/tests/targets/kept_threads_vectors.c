// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that are stopped in the middle of computing with registers of 256 and, where the CPU has
 * them, 512 bits, mask registers included: their signal frames have all of these.
 */
#include <immintrin.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/targets/target.h"

static _Atomic int in_child, ready;

__attribute__((target("avx2"))) static void *compute_256(void *argument)
{
	__m256i sum = _mm256_set_epi64x(1, 2, 3, 4);
	__m256i step = _mm256_set_epi64x(5, 6, 7, 8);
	uint64_t rounds = 0, lanes[4];
	int i;

	ready++;
	while (!in_child) {
		sum = _mm256_add_epi64(sum, step);
		__asm__ volatile("" : "+x"(sum), "+x"(step));
		rounds++;
	}
	_mm256_storeu_si256((void *)lanes, sum);
	for (i = 0; i < 4; i++)
		CHECK_EQ(lanes[i], 4 - i + (8 - i) * rounds);
	return argument;
}

__attribute__((target("avx512f"))) static void *compute_512(void *argument)
{
	/* In a register above the first sixteen, and with a mask. */
	register __m512i sum __asm__("zmm20") = _mm512_set1_epi64(3);
	register __m512i step __asm__("zmm31") = _mm512_set1_epi64(5);
	__mmask8 odd = 0xaa;
	uint64_t rounds = 0, lanes[8];
	int i;

	ready++;
	while (!in_child) {
		sum = _mm512_mask_add_epi64(sum, odd, sum, step);
		__asm__ volatile("" : "+v"(sum), "+v"(step), "+Yk"(odd));
		rounds++;
	}
	_mm512_storeu_si512(lanes, sum);
	for (i = 0; i < 8; i++)
		CHECK_EQ(lanes[i], 3 + (i % 2 ? 5 * rounds : 0));
	return argument;
}

int main(void)
{
	pthread_t threads[4];
	int count = 0, i;

	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2"))
		target_skip("a CPU with AVX2");
	for (; count < 2; count++)
		CHECK_EQ(pthread_create(&threads[count], NULL, compute_256, NULL),
			 0);
	for (; count < 4 && __builtin_cpu_supports("avx512f"); count++)
		CHECK_EQ(pthread_create(&threads[count], NULL, compute_512, NULL),
			 0);
	while (ready < count)
		usleep(1000);
	usleep(5000);
	target_prepare();

	in_child = 1;
	for (i = 0; i < count; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	return 0;
}
