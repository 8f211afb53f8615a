// SPDX-License-Identifier: GPL-2.0
#include "symbols.h"

#include <linux/kprobes.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/static_call.h>

static pid_t no_clone(struct kernel_clone_args *args)
{
	return -ENOSYS;
}

static long no_mremap(const struct pt_regs *regs)
{
	return -ENOSYS;
}

static int no_madvise(struct mm_struct *mm, unsigned long start, size_t length, int advice)
{
	return -ENOSYS;
}

static char *no_d_path(const struct path *path, const struct path *root, char *buffer, int size)
{
	return NULL;
}

/*
 * With indirect branch tracking, a function whose address the kernel never takes
 * must not be called through a pointer. A static call is a direct call.
 */
DEFINE_STATIC_CALL(mitosis_clone_call, no_clone);
DEFINE_STATIC_CALL(mitosis_mremap_call, no_mremap);
DEFINE_STATIC_CALL(mitosis_madvise_call, no_madvise);
DEFINE_STATIC_CALL(mitosis_d_path_call, no_d_path);

/* Finds a function's address by registering a kprobe on it. */
static void *find(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address;

	if (register_kprobe(&probe)) {
		pr_err("cannot find the kernel function %s: the kernel lacks it or kprobes\n",
		       name);
		return NULL;
	}
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

int mitosis_symbols_init(void)
{
	void *clone = find("kernel_clone");
	void *mremap = find("__x64_sys_mremap");
	void *madvise = find("do_madvise");
	void *d_path = find("__d_path");

	if (!clone || !mremap || !madvise || !d_path)
		return -ENOENT;
	static_call_update(mitosis_clone_call, clone);
	static_call_update(mitosis_mremap_call, mremap);
	static_call_update(mitosis_madvise_call, madvise);
	static_call_update(mitosis_d_path_call, d_path);
	return 0;
}

pid_t mitosis_clone(struct kernel_clone_args *args)
{
	return static_call(mitosis_clone_call)(args);
}

long mitosis_mremap(unsigned long from, unsigned long length, unsigned long to)
{
	const struct pt_regs regs = {
		.di = from,
		.si = length,
		.dx = length,
		.r10 = MREMAP_MAYMOVE | MREMAP_FIXED,
		.r8 = to,
	};

	return static_call(mitosis_mremap_call)(&regs);
}

int mitosis_madvise(unsigned long start, unsigned long length, int advice)
{
	return static_call(mitosis_madvise_call)(current->mm, start, length, advice);
}

char *mitosis_d_path(const struct path *path, const struct path *root, char *buffer, int size)
{
	return static_call(mitosis_d_path_call)(path, root, buffer, size);
}
