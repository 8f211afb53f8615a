/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this machine's CPU can go on with what another one has begun. */
#ifndef LIB_CPU_FEATURES_H
#define LIB_CPU_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/cpu_features.h"

/* Of this machine, CPU_FEATURE_WORDS words; asked for once in a process. */
const uint32_t *cpu_features_own(void);

/* Whether this machine lacks one of them; `text` then has their names, as many as fit. */
bool cpu_features_missing(const uint32_t needed[CPU_FEATURE_WORDS], char *text,
			  size_t size);

#endif /* LIB_CPU_FEATURES_H */
