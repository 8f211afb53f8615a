/* SPDX-License-Identifier: GPL-2.0 */
/* Tests at load time of the parts that need no other process. */
#ifndef MITOSIS_SELFTEST_H
#define MITOSIS_SELFTEST_H

/* Returns 0, or -EINVAL after logging each failed check. */
int mitosis_selftest_run(void);

#endif /* MITOSIS_SELFTEST_H */
