// SPDX-License-Identifier: GPL-2.0
/* Shared with user space. */
#include "../proto/build_id.c"
#include "../proto/descriptor_check.c"
#include "../proto/rights.c"
