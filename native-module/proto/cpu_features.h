/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The features of a CPU by which programs choose their code. A child goes on in code that
 * its parent has chosen, so its CPU must have all of its parent's. What only makes the
 * same instructions faster, or what only the kernel may use, does not count.
 */
#ifndef PROTO_CPU_FEATURES_H
#define PROTO_CPU_FEATURES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/* The words, by the leaf of CPUID and its register; the last is XCR0. */
enum cpu_feature_word {
	CPU_1_ECX,
	CPU_7_EBX,
	CPU_7_ECX,
	CPU_7_EDX,
	CPU_7_1_EAX,
	CPU_EXTENDED_ECX, /* of 0x80000001 */
	CPU_XSAVE_EAX,	  /* of 0xd, 1 */
	CPU_XCR0,
	CPU_FEATURE_WORDS,
};

/* The bits that count; lib/cpu_features.c has their names. */
static const uint32_t cpu_feature_masks[CPU_FEATURE_WORDS] = {
	[CPU_1_ECX] = 0x7ed83203,     [CPU_7_EBX] = 0xfdaf0929,
	[CPU_7_ECX] = 0x18405f72,     [CPU_7_EDX] = 0x03c1410c,
	[CPU_7_1_EAX] = 0x00a000b7,   [CPU_EXTENDED_ECX] = 0x00210861,
	[CPU_XSAVE_EAX] = 0x00000007, [CPU_XCR0] = 0x000602e7,
};

static inline void cpu_features_ask(uint32_t leaf, uint32_t subleaf, uint32_t *eax,
				    uint32_t *ebx, uint32_t *ecx, uint32_t *edx)
{
	__asm__ volatile("cpuid"
			 : "=a"(*eax), "=b"(*ebx), "=c"(*ecx), "=d"(*edx)
			 : "0"(leaf), "2"(subleaf));
}

/* XCR0: whose registers the kernel keeps. Only where CPUID says OSXSAVE. */
static inline uint64_t cpu_features_xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* In a virtual machine each CPUID may take microseconds: ask once. */
static inline void cpu_features_read(uint32_t features[CPU_FEATURE_WORDS])
{
	uint32_t eax, ebx, ecx, edx, last, last_extended, i;

	for (i = 0; i < CPU_FEATURE_WORDS; i++)
		features[i] = 0;
	cpu_features_ask(0, 0, &last, &ebx, &ecx, &edx);
	cpu_features_ask(0x80000000u, 0, &last_extended, &ebx, &ecx, &edx);
	cpu_features_ask(1, 0, &eax, &ebx, &features[CPU_1_ECX], &edx);
	if (last >= 7) {
		cpu_features_ask(7, 0, &eax, &features[CPU_7_EBX],
				 &features[CPU_7_ECX], &features[CPU_7_EDX]);
		if (eax >= 1)
			cpu_features_ask(7, 1, &features[CPU_7_1_EAX], &ebx, &ecx,
					 &edx);
	}
	if (last_extended >= 0x80000001u)
		cpu_features_ask(0x80000001u, 0, &eax, &ebx,
				 &features[CPU_EXTENDED_ECX], &edx);
	/* OSXSAVE: the kernel lets programs ask for XCR0. */
	if (features[CPU_1_ECX] & (1u << 27)) {
		if (last >= 0xd)
			cpu_features_ask(0xd, 1, &features[CPU_XSAVE_EAX], &ebx,
					 &ecx, &edx);
		features[CPU_XCR0] = (uint32_t)cpu_features_xcr0();
	}
	for (i = 0; i < CPU_FEATURE_WORDS; i++)
		features[i] &= cpu_feature_masks[i];
}

#endif /* PROTO_CPU_FEATURES_H */
