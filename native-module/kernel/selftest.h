/* SPDX-License-Identifier: GPL-2.0 */
/* What needs no other process and no hardware, tested when the module is loaded. */
#ifndef MITOSIS_SELFTEST_H
#define MITOSIS_SELFTEST_H

/* Returns 0, or -EINVAL with a message on each test that failed. */
int mitosis_selftest_run(void);

#endif /* MITOSIS_SELFTEST_H */
