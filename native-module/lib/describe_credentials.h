/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_DESCRIBE_CREDENTIALS_H
#define LIB_DESCRIBE_CREDENTIALS_H

#include "proto/descriptor.h"

/*
 * Describes what this process may do, which is what its parent might when it forked it.
 * Returns the DESCRIPTOR_* flags that go with it. Runs in shadows.
 */
uint32_t describe_credentials(struct descriptor_credentials *credentials);

#endif /* LIB_DESCRIBE_CREDENTIALS_H */
