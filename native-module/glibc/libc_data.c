// SPDX-License-Identifier: Apache-2.0
/* In place of lib/libc_data.c: a reference by name would need the newer version. */
#define _GNU_SOURCE
#include "lib/libc_data.h"

#include <dlfcn.h>

/* A part of libc since glibc 2.34: before, it may be missing, and most of what is looked up is. */
extern void *old_dlsym(void *handle, const char *name) __attribute__((weak));
__asm__(".symver old_dlsym, dlsym@GLIBC_2.2.5");

static struct libc_data data;

/* Before any call: later ones may come while all other threads stand still. */
__attribute__((constructor)) static void look_up(void)
{
	if (!old_dlsym)
		return;
	data.rseq_offset = old_dlsym(RTLD_DEFAULT, "__rseq_offset");
	data.rseq_size = old_dlsym(RTLD_DEFAULT, "__rseq_size");
	data.single_threaded = old_dlsym(RTLD_DEFAULT, "__libc_single_threaded");
}

const struct libc_data *libc_data(void)
{
	return &data;
}
