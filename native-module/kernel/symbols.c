// SPDX-License-Identifier: GPL-2.0
#include "symbols.h"

#include <asm/fpu/api.h>
#include <linux/dcache.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/static_call.h>

static pid_t no_clone(struct kernel_clone_args *args)
{
	return -ENODEV;
}

static long no_system_call(const struct pt_regs *regs)
{
	return -ENODEV;
}

static int no_madvise(struct mm_struct *mm, unsigned long start, size_t length, int advice)
{
	return -ENODEV;
}

static char *no_d_path(const struct path *path, const struct path *root, char *buffer, int size)
{
	return NULL;
}

static void no_fpu(void)
{
}

/* The functions are found by name: only here the compiler sees whether their types match. */
static_assert(__same_type(kernel_clone, no_clone));
static_assert(__same_type(do_madvise, no_madvise));
static_assert(__same_type(__d_path, no_d_path));
static_assert(__same_type(switch_fpu_return, no_fpu));

/*
 * With indirect branch tracking, a function whose address the kernel never takes
 * must not be called through a pointer. A static call is a direct call.
 */
DEFINE_STATIC_CALL(mitosis_clone_call, no_clone);
DEFINE_STATIC_CALL(mitosis_mremap_call, no_system_call);
DEFINE_STATIC_CALL(mitosis_rseq_call, no_system_call);
DEFINE_STATIC_CALL(mitosis_mseal_call, no_system_call);
DEFINE_STATIC_CALL(mitosis_madvise_call, no_madvise);
DEFINE_STATIC_CALL(mitosis_d_path_call, no_d_path);
DEFINE_STATIC_CALL(mitosis_fpu_call, no_fpu);

/*
 * Finds a function's address by registering a kprobe on it; NULL if the kernel lacks it. The probe
 * is never armed: some of these functions run at each return to user mode, on CPUs that would see
 * them patched.
 */
static void *find_any(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static void *find_function(const char *name)
{
	void *address = find_any(name);

	if (!address)
		pr_err("cannot find the kernel function %s: the kernel lacks it or kprobes\n",
		       name);
	return address;
}

int mitosis_symbols_init(void)
{
	void *clone = find_function("kernel_clone");
	void *mremap = find_function("__x64_sys_mremap");
	void *madvise = find_function("do_madvise");
	void *d_path = find_function("__d_path");
	void *rseq = find_function("__x64_sys_rseq");
	void *fpu = find_function("switch_fpu_return");
	void *mseal = find_any("__x64_sys_mseal"); /* from 6.10 on */

	if (!clone || !mremap || !madvise || !d_path || !rseq || !fpu)
		return -ENOENT;
	static_call_update(mitosis_clone_call, clone);
	static_call_update(mitosis_mremap_call, mremap);
	static_call_update(mitosis_madvise_call, madvise);
	static_call_update(mitosis_d_path_call, d_path);
	static_call_update(mitosis_rseq_call, rseq);
	static_call_update(mitosis_fpu_call, fpu);
	if (mseal)
		static_call_update(mitosis_mseal_call, mseal);
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

int mitosis_mseal(unsigned long start, unsigned long length)
{
	const struct pt_regs regs = { .di = start, .si = length };

	return static_call(mitosis_mseal_call)(&regs);
}

int mitosis_madvise(unsigned long start, unsigned long length, int advice)
{
	return static_call(mitosis_madvise_call)(current->mm, start, length, advice);
}

long mitosis_rseq(struct rseq __user *area, u32 size, int flags, u32 signature)
{
	const struct pt_regs regs = {
		.di = (unsigned long)area,
		.si = size,
		.dx = flags,
		.r10 = signature,
	};

	return static_call(mitosis_rseq_call)(&regs);
}

void mitosis_load_fpu(void)
{
	static_call(mitosis_fpu_call)();
}

char *mitosis_d_path(const struct path *path, const struct path *root, char *buffer, int size)
{
	return static_call(mitosis_d_path_call)(path, root, buffer, size);
}
