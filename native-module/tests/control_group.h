/* SPDX-License-Identifier: Apache-2.0 */
/* A control group of version 2. */
#ifndef TESTS_CONTROL_GROUP_H
#define TESTS_CONTROL_GROUP_H

#include <stdbool.h>

#define CONTROL_GROUP_PATH_MAX 4200

/* Makes one without limits; false, and says so, if none can be made. */
bool make_control_group(char path[CONTROL_GROUP_PATH_MAX]);

#endif /* TESTS_CONTROL_GROUP_H */
