/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leads calls of NEW (whose references the linker renames: --wrap) to OLD, a symbol with the
 * version of an older C library. Assembled once for each line of glibc/names.
 */
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define WRAP JOIN(__wrap_, NEW)

	.symver	mitosis_old, OLD
	/* Threads and dlopen() are in libraries of their own before glibc 2.34. */
	.weak	mitosis_old
	.text
	.globl	WRAP
	.hidden	WRAP
	.type	WRAP, @function
WRAP:
	endbr64
	jmp	*mitosis_old@GOTPCREL(%rip)
	.size	WRAP, . - WRAP
	.section .note.GNU-stack, "", @progbits
