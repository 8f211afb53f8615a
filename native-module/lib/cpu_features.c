// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/cpu_features.h"
#include "lib/once.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* As /proc/cpuinfo has them. */
static const char *const names[CPU_FEATURE_WORDS][32] = {
	[CPU_1_ECX] = {
		[0] = "sse3",
		[1] = "pclmulqdq",
		[9] = "ssse3",
		[12] = "fma",
		[13] = "cx16",
		[19] = "sse4_1",
		[20] = "sse4_2",
		[22] = "movbe",
		[23] = "popcnt",
		[25] = "aes",
		[26] = "xsave",
		[27] = "osxsave",
		[28] = "avx",
		[29] = "f16c",
		[30] = "rdrand",
	},
	[CPU_7_EBX] = {
		[0] = "fsgsbase",
		[3] = "bmi1",
		[5] = "avx2",
		[8] = "bmi2",
		[11] = "rtm",
		[16] = "avx512f",
		[17] = "avx512dq",
		[18] = "rdseed",
		[19] = "adx",
		[21] = "avx512ifma",
		[23] = "clflushopt",
		[24] = "clwb",
		[26] = "avx512pf",
		[27] = "avx512er",
		[28] = "avx512cd",
		[29] = "sha_ni",
		[30] = "avx512bw",
		[31] = "avx512vl",
	},
	[CPU_7_ECX] = {
		[1] = "avx512vbmi",
		[4] = "ospke",
		[5] = "waitpkg",
		[6] = "avx512_vbmi2",
		[8] = "gfni",
		[9] = "vaes",
		[10] = "vpclmulqdq",
		[11] = "avx512_vnni",
		[12] = "avx512_bitalg",
		[14] = "avx512_vpopcntdq",
		[22] = "rdpid",
		[27] = "movdiri",
		[28] = "movdir64b",
	},
	[CPU_7_EDX] = {
		[2] = "avx512_4vnniw",
		[3] = "avx512_4fmaps",
		[8] = "avx512_vp2intersect",
		[14] = "serialize",
		[16] = "tsxldtrk",
		[22] = "amx_bf16",
		[23] = "avx512_fp16",
		[24] = "amx_tile",
		[25] = "amx_int8",
	},
	[CPU_7_1_EAX] = {
		[0] = "sha512",
		[1] = "sm3",
		[2] = "sm4",
		[4] = "avx_vnni",
		[5] = "avx512_bf16",
		[7] = "cmpccxadd",
		[21] = "amx_fp16",
		[23] = "avx_ifma",
	},
	[CPU_EXTENDED_ECX] = {
		[0] = "lahf_lm",
		[5] = "abm",
		[6] = "sse4a",
		[11] = "xop",
		[16] = "fma4",
		[21] = "tbm",
	},
	[CPU_XSAVE_EAX] = {
		[0] = "xsaveopt",
		[1] = "xsavec",
		[2] = "xgetbv1",
	},
	[CPU_XCR0] = {
		[0] = "x87 registers",
		[1] = "SSE registers",
		[2] = "AVX registers",
		[5] = "AVX-512 masks",
		[6] = "AVX-512 registers 0 to 15",
		[7] = "AVX-512 registers 16 to 31",
		[9] = "protection keys",
		[17] = "AMX configuration",
		[18] = "AMX tiles",
	},
};

static uint32_t own[CPU_FEATURE_WORDS];
static struct once asked = ONCE_INIT;

static void ask(void)
{
	cpu_features_read(own);
}

const uint32_t *cpu_features_own(void)
{
	once_do(&asked, ask);
	return own;
}

bool cpu_features_missing(const uint32_t needed[CPU_FEATURE_WORDS], char *text,
			  size_t size)
{
	const uint32_t *have = cpu_features_own();
	size_t length = 0;
	uint32_t word, bit;
	bool missing = false;

	text[0] = '\0';
	for (word = 0; word < CPU_FEATURE_WORDS; word++) {
		for (bit = 0; bit < 32; bit++) {
			const char *name = names[word][bit];

			if (!(needed[word] & ~have[word] & (1u << bit)))
				continue;
			missing = true;
			if (length < size)
				length += snprintf(text + length, size - length,
						   "%s%s", length ? ", " : "",
						   name ? name : "?");
		}
	}
	return missing;
}
