/* SPDX-License-Identifier: Apache-2.0 */
/* What a child does on signals. */
#ifndef LIB_SIGNAL_ACTIONS_H
#define LIB_SIGNAL_ACTIONS_H

#include <stdint.h>

#include "libmitosis.h"
#include "proto/descriptor.h"

/*
 * The signals whose action a child has to set, of which `known` (enum mitosis_signals) says what it
 * has from its caller: bits, 1 << (signal - 1).
 */
uint64_t signal_actions_to_set(const struct descriptor_header *descriptor,
			       uint32_t known);

#endif /* LIB_SIGNAL_ACTIONS_H */
