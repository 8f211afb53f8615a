// SPDX-License-Identifier: GPL-2.0
/* The descriptor check is shared with user space. */
#include "../proto/descriptor_check.c"
