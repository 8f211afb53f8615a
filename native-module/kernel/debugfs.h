/* SPDX-License-Identifier: GPL-2.0 */
/* /sys/kernel/debug/mitosis: the files stats and snapshots, readable by root. */
#ifndef MITOSIS_DEBUGFS_H
#define MITOSIS_DEBUGFS_H

void mitosis_debugfs_init(void);
void mitosis_debugfs_exit(void);

#endif /* MITOSIS_DEBUGFS_H */
