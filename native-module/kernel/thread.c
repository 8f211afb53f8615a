// SPDX-License-Identifier: GPL-2.0
#include "thread.h"

#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/fsgsbase.h>
#include <asm/segment.h>
#include <linux/log2.h>
#include <uapi/linux/futex.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "symbols.h"

#define XSTATE_LEAF	  0xd
#define XSTATE_FCW_OFFSET 0
#define XSTATE_X87_SSE	  3ull

/* The XSTATE_FEATURES that this machine has enabled. */
static u64 own_xfeatures;
static u32 own_cpu_features[CPU_FEATURE_WORDS];

void mitosis_thread_cpu_features(u32 features[CPU_FEATURE_WORDS])
{
	memcpy(features, own_cpu_features, sizeof(own_cpu_features));
}

/* The size in the standard format; 0 if this CPU lacks one of the features. */
static u32 xstate_size(u64 features)
{
	u32 i, eax, ebx, ecx, edx, size = XSTATE_SIZE_MIN;

	if (features & ~own_xfeatures)
		return 0;
	for (i = 2; i < 8; i++) {
		if (!(features & BIT_ULL(i)))
			continue;
		cpuid_count(XSTATE_LEAF, i, &eax, &ebx, &ecx, &edx);
		size = max(size, eax + ebx);
	}
	return size;
}

int mitosis_thread_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE)) {
		pr_err("the CPU must have XSAVE\n");
		return -ENODEV;
	}
	own_xfeatures = xgetbv(0) & XSTATE_FEATURES;
	cpu_features_read(own_cpu_features);
	return 0;
}

/* XSAVE and XRSTOR need 64-byte alignment, which kmalloc gives powers of two. */
static void *xstate_alloc(u32 size)
{
	return kzalloc(roundup_pow_of_two(size), GFP_KERNEL_ACCOUNT);
}

/* Makes sure that the thread's extended registers are in the CPU. */
static void xstate_lock(void)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		mitosis_load_fpu();
}

static void xstate_save(void *xstate, u64 features)
{
	xstate_lock();
	asm volatile("xsave64 (%0)"
		     :
		     : "r"(xstate), "a"((u32)features), "d"((u32)(features >> 32))
		     : "memory");
	fpregs_unlock();
}

/* Features missing in the xstate get their initial state. */
static int xstate_load(const void *xstate)
{
	int err = 0;

	xstate_lock();
	asm volatile("1: xrstor64 (%1)\n\t"
		     "jmp 3f\n"
		     "2: movl %[fault], %0\n"
		     "3:\n" _ASM_EXTABLE(1b, 2b)
		     : "+r"(err)
		     : "r"(xstate), "a"((u32)own_xfeatures),
		       "d"((u32)(own_xfeatures >> 32)), [fault] "i"(-EPROTO)
		     : "memory");
	fpregs_unlock();
	return err;
}

static void save_bases(struct descriptor_thread *r)
{
	preempt_disable();
	r->fs_base = x86_fsbase_read_cpu();
	r->gs_base = compat_read_msr(MSR_KERNEL_GS_BASE); /* of user mode, while in the kernel */
	preempt_enable();
}

/* mitosis_thread_check_caller() has checked that no segment is in use. */
static void load_bases(const struct descriptor_thread *r)
{
	preempt_disable();
	x86_fsbase_write_cpu(r->fs_base);
	compat_write_msr(MSR_KERNEL_GS_BASE, r->gs_base);
	current->thread.fsbase = r->fs_base;
	current->thread.gsbase = r->gs_base;
	current->thread.fsindex = 0;
	current->thread.gsindex = 0;
	preempt_enable();
}

/* That of the current process, which only this process replaces. */
static struct sighand_struct *own_sighand(void)
{
	return rcu_dereference_protected(current->sighand, true);
}

static void save_signals(struct thread_state *state)
{
	struct sighand_struct *sighand = own_sighand();
	const struct k_sigaction *action = sighand->action;
	unsigned int i;

	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < DESCRIPTOR_SIGNALS; i++)
		state->signals[i] = (struct descriptor_signal){
			.handler = (uintptr_t)action[i].sa.sa_handler,
			.flags = action[i].sa.sa_flags & UAPI_SA_FLAGS,
			.restorer = (uintptr_t)action[i].sa.sa_restorer,
			.mask = action[i].sa.sa_mask.sig[0],
		};
	state->registers.signal_mask = current->blocked.sig[0];
	spin_unlock_irq(&sighand->siglock);
}

static void load_signals(const struct descriptor_header *d)
{
	const u64 never = sigmask(SIGKILL) | sigmask(SIGSTOP);
	struct sighand_struct *sighand = own_sighand();
	struct k_sigaction *action = sighand->action;
	unsigned int i;

	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < DESCRIPTOR_SIGNALS; i++) {
		const struct descriptor_signal *s = &d->signals[i];

		if (i + 1 == SIGKILL || i + 1 == SIGSTOP)
			continue;
		action[i].sa.sa_handler = (__sighandler_t)s->handler;
		action[i].sa.sa_flags = s->flags & UAPI_SA_FLAGS;
		action[i].sa.sa_restorer = (__sigrestore_t)s->restorer;
		action[i].sa.sa_mask.sig[0] = s->mask & ~never;
	}
	current->blocked.sig[0] = descriptor_thread(d)->signal_mask & ~never;
	recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
}

int mitosis_thread_state_save(struct thread_state *state)
{
	const struct pt_regs *regs = task_pt_regs(current);
	u32 size = xstate_size(own_xfeatures);

	state->xstate = xstate_alloc(size);
	if (!state->xstate)
		return -ENOMEM;
	state->xstate_size = size;
	state->xfeatures = own_xfeatures;
	xstate_save(state->xstate, own_xfeatures);
	state->registers = (struct descriptor_thread){
		.rbx = regs->bx,
		.rbp = regs->bp,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.rsp = regs->sp,
		.rip = regs->ip,
		.mxcsr = *(u32 *)(state->xstate + XSTATE_MXCSR_OFFSET),
		.x87_control = *(u16 *)(state->xstate + XSTATE_FCW_OFFSET),
		.altstack_base = current->sas_ss_sp,
		.altstack_size = current->sas_ss_size,
		.altstack_flags = current->sas_ss_size ? current->sas_ss_flags : SS_DISABLE,
		.tid = task_pid_vnr(current),
		.robust_list = (uintptr_t)*compat_robust_list(current),
		.robust_list_size =
			*compat_robust_list(current) ? sizeof(struct robust_list_head) : 0,
		.tid_address = (uintptr_t)current->clear_child_tid,
		.rseq_address = (uintptr_t)compat_rseq_area(current),
		.rseq_size = compat_rseq_size(current),
		.rseq_signature = compat_rseq_signature(current),
		.rdi = regs->di,
		.rsi = regs->si,
		.rdx = regs->dx,
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
	};
	save_bases(&state->registers);
	save_signals(state);
	get_task_comm(state->name, current);
	return 0;
}

void mitosis_thread_state_destroy(struct thread_state *state)
{
	kfree(state->xstate);
}

static bool user_range(u64 address, u64 size)
{
	return address < USER_MEMORY_END && size < USER_MEMORY_END - address;
}

int mitosis_thread_check(const struct descriptor_header *d)
{
	const struct descriptor_thread *t = descriptor_thread(d);
	u32 i;

	for (i = 0; i < CPU_FEATURE_WORDS; i++)
		if (d->cpu_features[i] & ~own_cpu_features[i])
			return -EPROTO;
	if (d->xstate_size && d->xstate_size != xstate_size(d->xfeatures))
		return -EPROTO;
	if (!d->xstate_size && t->mxcsr & ~XSTATE_MXCSR_MASK)
		return -EPROTO;
	/* The same checks as in the system calls that set these values. */
	if (t->rseq_address &&
	    (!compat_rseq_size_valid(t->rseq_size) || t->rseq_address % COMPAT_RSEQ_SIZE ||
	     !user_range(t->rseq_address, t->rseq_size)))
		return -EPROTO;
	if (t->robust_list && (t->robust_list_size != sizeof(struct robust_list_head) ||
			       !user_range(t->robust_list, t->robust_list_size)))
		return -EPROTO;
	if (t->tid_address && !user_range(t->tid_address, sizeof(u32)))
		return -EPROTO;
	if (!(t->altstack_flags & SS_DISABLE) && t->altstack_size &&
	    (t->altstack_flags & ~(SS_ONSTACK | SS_AUTODISARM) || t->altstack_size < MINSIGSTKSZ ||
	     !user_range(t->altstack_base, t->altstack_size)))
		return -EPROTO;
	return 0;
}

int mitosis_thread_check_caller(void)
{
	unsigned int fs, gs;

	savesegment(fs, fs);
	savesegment(gs, gs);
	return fs || gs || !user_64bit_mode(task_pt_regs(current)) ? -EINVAL : 0;
}

int mitosis_thread_detach(void)
{
	struct rseq __user *area = compat_rseq_area(current);

	*compat_robust_list(current) = NULL;
	current->clear_child_tid = NULL;
	return area ? mitosis_rseq(area, compat_rseq_size(current), RSEQ_FLAG_UNREGISTER,
				   compat_rseq_signature(current))
		    : 0;
}

/* For a descriptor without an xstate: initial state, except for two registers. */
static int load_fresh_xstate(const struct descriptor_thread *t)
{
	void *xstate = xstate_alloc(XSTATE_SIZE_MIN);
	struct descriptor_xstate_header *header;
	int err;

	if (!xstate)
		return -ENOMEM;
	*(u16 *)(xstate + XSTATE_FCW_OFFSET) = t->x87_control;
	*(u32 *)(xstate + XSTATE_MXCSR_OFFSET) = t->mxcsr;
	header = xstate + XSTATE_LEGACY_SIZE;
	header->features = XSTATE_X87_SSE;
	err = xstate_load(xstate);
	kfree(xstate);
	return err;
}

/* The xstate in the descriptor need not be aligned. */
static int load_kept_xstate(const struct descriptor_header *d)
{
	void *xstate = xstate_alloc(d->xstate_size);
	int err;

	if (!xstate)
		return -ENOMEM;
	memcpy(xstate, descriptor_xstate(d), d->xstate_size);
	err = xstate_load(xstate);
	kfree(xstate);
	return err;
}

static int load_rseq(const struct descriptor_thread *t)
{
	struct rseq __user *area = (void __user *)t->rseq_address;

	if (!area)
		return 0;
	if (put_user(0, &area->rseq_cs) || put_user(0, &area->flags) ||
	    put_user(RSEQ_CPU_ID_UNINITIALIZED, &area->cpu_id))
		return -EFAULT;
	return mitosis_rseq(area, t->rseq_size, 0, t->rseq_signature);
}

static void load_registers(const struct descriptor_thread *t, const struct mitosis_told *told)
{
	struct pt_regs *regs = task_pt_regs(current);
	const unsigned long fixed = X86_EFLAGS_IF | X86_EFLAGS_FIXED;

	*regs = (struct pt_regs){
		.bx = t->rbx,
		.bp = t->rbp,
		.r12 = t->r12,
		.r13 = t->r13,
		.r14 = t->r14,
		.r15 = t->r15,
		.sp = t->rsp,
		.ip = t->rip,
		.di = told ? told->number : t->rdi,
		.si = told ? told->machine_id : t->rsi,
		.dx = t->rdx,
		.r8 = t->r8,
		.r9 = t->r9,
		.r10 = t->r10,
		/* As after the instruction `syscall`. */
		.r11 = fixed,
		.cx = t->rip,
		.flags = fixed,
		.orig_ax = -1,
		.cs = __USER_CS,
		.ss = __USER_DS,
	};
}

static void load_name(const char *name)
{
	task_lock(current);
	strscpy_pad(current->comm, name, sizeof(current->comm));
	task_unlock(current);
}

int mitosis_thread_load(const struct descriptor_header *d, struct mitosis_told told)
{
	const struct descriptor_thread *t = descriptor_thread(d);
	int err = d->xstate_size ? load_kept_xstate(d) : load_fresh_xstate(t);

	if (!err && t->tid_address)
		err = put_user(task_pid_vnr(current), (u32 __user *)t->tid_address);
	if (!err)
		err = load_rseq(t);
	if (err)
		return err;
	load_bases(t);
	load_signals(d);
	load_registers(t, descriptor_takes_told(d) ? &told : NULL);
	load_name(d->name);
	*compat_robust_list(current) = (void __user *)t->robust_list;
	current->clear_child_tid = (void __user *)t->tid_address;
	current->sas_ss_sp = t->altstack_base;
	current->sas_ss_size = t->altstack_flags & SS_DISABLE ? 0 : t->altstack_size;
	current->sas_ss_flags =
		t->altstack_flags & SS_DISABLE ? SS_DISABLE : t->altstack_flags & SS_AUTODISARM;
	return 0;
}
