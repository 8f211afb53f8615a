/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MITOSIS_REMOTE_NAME_H
#define MITOSIS_REMOTE_NAME_H

#include <linux/types.h>

#include "uapi/mitosis.h"

/* Which snapshot of another machine. */
struct remote_name {
	u32 machine_id, handler_id;
	u32 owner_uid; /* who asks: without a token, the owner must be the same user */
	bool by_token;
	struct mitosis_token token; /* of that machine, for this handler id */
};

#endif /* MITOSIS_REMOTE_NAME_H */
