/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What a parent has, as the kernel of its machine says. Its descriptor says the same, but a
 * parent could have written into that.
 */
#ifndef PROTO_RIGHTS_H
#define PROTO_RIGHTS_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

struct descriptor_header;

/* 32 bytes, no padding. */
struct parent_rights {
	uint64_t permitted, inheritable,
		bounding;	 /* capabilities: bits, 1 << CAP_* */
	uint32_t user_namespace; /* its inode; 0: not known */
	uint32_t flags;		 /* RIGHTS_* */
};

#define RIGHTS_KNOWN	    0x1u
#define RIGHTS_NO_NEW_PRIVS 0x2u
#define RIGHTS_SECCOMP	    0x4u /* it has a filter */

/* Limits what a descriptor says of the parent's rights; nothing if `has` is not known. */
void rights_limit(struct descriptor_header *parent, const struct parent_rights *has);

#endif /* PROTO_RIGHTS_H */
