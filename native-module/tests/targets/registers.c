// SPDX-License-Identifier: Apache-2.0
/*
 * The registers that a call preserves, and the control words of SSE and x87,
 * are in a child as they were before prepare.
 */
#include <fenv.h>
#include <xmmintrin.h>

#include "tests/targets/target.h"

#define FLUSH_TO_ZERO 0x8000u
#define X87_SINGLE    0x0c7fu /* 24-bit mantissa, rounds to zero */

/*
 * Calls target_prepare() with a value of its own in each callee-saved
 * register; returns 0 if all of them are there after it.
 */
int prepare_with_registers(void);
void prepare_for_assembly(void);

void prepare_for_assembly(void)
{
	target_prepare();
}

__asm__(".text\n"
	".globl prepare_with_registers\n"
	".type prepare_with_registers, @function\n"
	"prepare_with_registers:\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	sub $8, %rsp\n"
	"	mov $0x1111111111111111, %rbx\n"
	"	mov $0x2222222222222222, %rbp\n"
	"	mov $0x3333333333333333, %r12\n"
	"	mov $0x4444444444444444, %r13\n"
	"	mov $0x5555555555555555, %r14\n"
	"	mov $0x6666666666666666, %r15\n"
	"	call prepare_for_assembly\n"
	"	xor %eax, %eax\n"
	"	mov $0x1111111111111111, %rcx\n"
	"	xor %rcx, %rbx\n"
	"	mov $0x2222222222222222, %rcx\n"
	"	xor %rcx, %rbp\n"
	"	mov $0x3333333333333333, %rcx\n"
	"	xor %rcx, %r12\n"
	"	mov $0x4444444444444444, %rcx\n"
	"	xor %rcx, %r13\n"
	"	mov $0x5555555555555555, %rcx\n"
	"	xor %rcx, %r14\n"
	"	mov $0x6666666666666666, %rcx\n"
	"	xor %rcx, %r15\n"
	"	or %rbp, %rbx\n"
	"	or %r12, %rbx\n"
	"	or %r13, %rbx\n"
	"	or %r14, %rbx\n"
	"	or %r15, %rbx\n"
	"	setne %al\n"
	"	add $8, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	ret\n"
	".size prepare_with_registers, . - prepare_with_registers\n");

int main(int argc, char **argv)
{
	volatile long local = 0x0123456789abcdef;
	volatile double tiny = 1e-300, quotient;
	uint16_t x87 = X87_SINGLE;
	void *frame = __builtin_frame_address(0);

	_mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO);
	CHECK(!fesetround(FE_UPWARD));
	__asm__ volatile("fldcw %0" : : "m"(x87));
	CHECK_EQ(prepare_with_registers(), 0);

	x87 = 0;
	__asm__ volatile("fnstcw %0" : "=m"(x87));
	CHECK_EQ(x87, X87_SINGLE);
	CHECK(_mm_getcsr() & FLUSH_TO_ZERO);
	CHECK_EQ(_mm_getcsr() & _MM_ROUND_MASK, _MM_ROUND_UP);
	quotient = tiny * 1e-20;
	CHECK(quotient == 0.0 || quotient >= 2.2250738585072014e-308);
	CHECK_EQ(local, 0x0123456789abcdef);
	CHECK(frame == __builtin_frame_address(0));
	CHECK_EQ(argc, 1);
	CHECK(argv[0] && strstr(argv[0], "registers") && !argv[1]);
	target_child_has("registers, floating-point modes", "kept");
	return 0;
}
