// SPDX-License-Identifier: GPL-2.0
/* Linux 6.16: cpuid() has a header of its own. */
#include <asm/cpuid/api.h>
