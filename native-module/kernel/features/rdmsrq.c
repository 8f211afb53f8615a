// SPDX-License-Identifier: GPL-2.0
/* 6.16: the new names of rdmsrl() and wrmsrl() */
#include <asm/msr.h>

u64 mitosis_try(void);
u64 mitosis_try(void)
{
	u64 value;

	rdmsrq(MSR_KERNEL_GS_BASE, value);
	wrmsrq(MSR_KERNEL_GS_BASE, value);
	return value;
}
