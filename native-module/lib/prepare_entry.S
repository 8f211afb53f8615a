/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mitosis_prepare() and mitosis_prepare_pinned(): keep what the calling
 * convention preserves in a struct descriptor_thread, as it will be when the
 * call has returned, and go on in C. A resumed child starts there with 0.
 */

#define THREAD_SIZE	216	/* sizeof(struct descriptor_thread) rounded to 16n + 8 */
#define FLAG_PINNED	1	/* MITOSIS_SNAPSHOT_PINNED */

	.text

.macro	prepare_entry name flags
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	endbr64
	sub	$THREAD_SIZE, %rsp
	.cfi_adjust_cfa_offset THREAD_SIZE
	mov	%rbx, 0(%rsp)
	mov	%rbp, 8(%rsp)
	mov	%r12, 16(%rsp)
	mov	%r13, 24(%rsp)
	mov	%r14, 32(%rsp)
	mov	%r15, 40(%rsp)
	lea	THREAD_SIZE+8(%rsp), %rax	/* rsp after the return */
	mov	%rax, 48(%rsp)
	mov	THREAD_SIZE(%rsp), %rax		/* the return address */
	mov	%rax, 56(%rsp)
	stmxcsr	64(%rsp)
	fnstcw	68(%rsp)
	mov	$\flags, %edx
	mov	%rsp, %rcx
	call	prepare_captured
	add	$THREAD_SIZE, %rsp
	.cfi_adjust_cfa_offset -THREAD_SIZE
	ret
	.cfi_endproc
	.size	\name, . - \name
.endm

/*
 * Where a child starts if there are hooks: as if just called, with the return
 * address of prepare on its stack, and with the arguments of resume_hooks_run().
 */
	.globl	prepare_child
	.hidden	prepare_child
	.type	prepare_child, @function
prepare_child:
	.cfi_startproc
	endbr64
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	resume_hooks_run
	xor	%eax, %eax
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	prepare_child, . - prepare_child

	prepare_entry mitosis_prepare 0
	prepare_entry mitosis_prepare_pinned FLAG_PINNED

	.section .note.GNU-stack, "", @progbits
