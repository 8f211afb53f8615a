// SPDX-License-Identifier: Apache-2.0
/* mitosis-noop: the smallest program, linked statically; what a spawn costs. */
int main(void)
{
	return 0;
}
