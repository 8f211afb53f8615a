// SPDX-License-Identifier: Apache-2.0
/* A process with 113 threads. */
#define THREADS 113
#include "tests/targets/many_threads.h"

int main(void)
{
	return run_many_threads();
}
