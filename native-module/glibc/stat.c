// SPDX-License-Identifier: Apache-2.0
/* Functions until glibc 2.33; before, its headers made them of these. */
#include <sys/stat.h>

#define OF_X86_64 1 /* the version of struct stat */

__asm__(".symver old_xstat, __xstat@GLIBC_2.2.5");
__asm__(".symver old_lxstat, __lxstat@GLIBC_2.2.5");
__asm__(".symver old_fxstat, __fxstat@GLIBC_2.2.5");

int old_xstat(int version, const char *path, struct stat *st);
int old_lxstat(int version, const char *path, struct stat *st);
int old_fxstat(int version, int fd, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

int __wrap_stat(const char *path, struct stat *st)
{
	return old_xstat(OF_X86_64, path, st);
}

int __wrap_lstat(const char *path, struct stat *st)
{
	return old_lxstat(OF_X86_64, path, st);
}

int __wrap_fstat(int fd, struct stat *st)
{
	return old_fxstat(OF_X86_64, fd, st);
}
