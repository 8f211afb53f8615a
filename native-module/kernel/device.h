/* SPDX-License-Identifier: GPL-2.0 */
/* The device node: the system calls of include/uapi/mitosis.h. */
#ifndef MITOSIS_DEVICE_H
#define MITOSIS_DEVICE_H

int mitosis_device_init(void);
void mitosis_device_exit(void);

#endif /* MITOSIS_DEVICE_H */
