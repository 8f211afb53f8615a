// SPDX-License-Identifier: Apache-2.0
/* A function since glibc 2.33; before, its headers made it of this. */
#include <sys/stat.h>

__asm__(".symver old_xmknod, __xmknod@GLIBC_2.2.5");

int old_xmknod(int version, const char *path, mode_t mode, dev_t *device);
int __wrap_mknod(const char *path, mode_t mode, dev_t device);

int __wrap_mknod(const char *path, mode_t mode, dev_t device)
{
	return old_xmknod(0, path, mode, &device);
}
