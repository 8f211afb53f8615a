// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
#include "proto/rights.h"

#include "proto/descriptor.h"

void rights_limit(struct descriptor_header *parent, const struct parent_rights *has)
{
	struct descriptor_credentials *c = &parent->credentials;

	if (!(has->flags & RIGHTS_KNOWN))
		return;
	c->permitted &= has->permitted;
	c->effective &= has->permitted;
	c->inheritable &= has->inheritable;
	c->bounding &= has->bounding;
	/* Each bit counts, whichever of them it says that its kernel knows. */
	c->last_capability = 63;
	if (has->user_namespace)
		c->user_namespace = has->user_namespace;
	if (has->flags & RIGHTS_NO_NEW_PRIVS)
		parent->flags |= DESCRIPTOR_NO_NEW_PRIVS;
	if (has->flags & RIGHTS_SECCOMP)
		parent->flags |= DESCRIPTOR_SECCOMP;
}
