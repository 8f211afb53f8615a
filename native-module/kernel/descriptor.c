// SPDX-License-Identifier: GPL-2.0
/* The descriptor's check is the one of user space. */
#include "../proto/descriptor_check.c"
