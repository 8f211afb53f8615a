// SPDX-License-Identifier: Apache-2.0
/*
 * The entry code of glibc 2.34 and later leaves it to the C library to run a program's
 * constructors. Older libraries are told how: they run what they are given.
 */
#include <stddef.h>

typedef int main_function(int argc, char **argv, char **envp);
typedef void constructor(int argc, char **argv, char **envp);

__asm__(".symver old_start_main, __libc_start_main@GLIBC_2.2.5");

int old_start_main(main_function *start, int argc, char **argv, constructor *init,
		   void (*fini)(void), void (*loader_fini)(void), void *stack_end);
int __wrap___libc_start_main(main_function *start, int argc, char **argv,
			     constructor *init, void (*fini)(void),
			     void (*loader_fini)(void), void *stack_end);

/* Of the linker. */
extern constructor *__init_array_start[] __attribute__((visibility("hidden")));
extern constructor *__init_array_end[] __attribute__((visibility("hidden")));
extern void _init(void);

static void run(constructor **from, constructor **to, int argc, char **argv,
		char **envp)
{
	for (; from < to; from++)
		(*from)(argc, argv, envp);
}

/* The dynamic loader has run the preinit array, and runs the destructors. */
static void construct(int argc, char **argv, char **envp)
{
	_init();
	run(__init_array_start, __init_array_end, argc, argv, envp);
}

int __wrap___libc_start_main(main_function *start, int argc, char **argv,
			     constructor *init, void (*fini)(void),
			     void (*loader_fini)(void), void *stack_end)
{
	return old_start_main(start, argc, argv, init ? init : construct, fini,
			      loader_fini, stack_end);
}
