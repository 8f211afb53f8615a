/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that mseal(2) has sealed, which a process that becomes a child cannot leave. */
#ifndef LIB_SEALED_MEMORY_H
#define LIB_SEALED_MEMORY_H

#include <stdbool.h>

/* Whether the kernel can seal memory: from Linux 6.10 on. */
bool sealed_memory_exists(void);

/* Whether the mapping of a line of /proc/self/maps is sealed. */
bool sealed_memory_is(const char *line);

/* Returns -EPERM with a message about the mapping. */
int sealed_memory_refuse(const char *line);

#endif /* LIB_SEALED_MEMORY_H */
