// SPDX-License-Identifier: Apache-2.0
/* In place of lib/libc_data.c: a reference by name would need the newer version. */
#define _GNU_SOURCE
#include "lib/libc_data.h"

#include <dlfcn.h>

static struct libc_data data;

/* Before any call: later ones may come while all other threads stand still. */
__attribute__((constructor)) static void look_up(void)
{
	data.rseq_offset = dlsym(RTLD_DEFAULT, "__rseq_offset");
	data.rseq_size = dlsym(RTLD_DEFAULT, "__rseq_size");
	data.single_threaded = dlsym(RTLD_DEFAULT, "__libc_single_threaded");
}

const struct libc_data *libc_data(void)
{
	return &data;
}
