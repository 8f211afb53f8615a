// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses of other machines as people write them, for the kernel module: names are resolved
 * for it, and what is no address is told by a sentence.
 */
#include <errno.h>
#include <string.h>

#include "tests/harness.h"

#define MACHINE 5

int main(void)
{
	/* Nothing listens at the port. */
	static const struct {
		const char *address;
		int err;
		const char *text;
	} cases[] = {
		{ "tcp://127.0.0.1:1", -ECONNREFUSED, "" },
		{ "tcp://[::1]:1", -ECONNREFUSED, "" },
		{ "tcp://localhost:1", -ECONNREFUSED, "" },
		{ "tcp://127.0.0.1:0", -EINVAL, "takes no address" },
		{ "127.0.0.1:1", -EINVAL,
		  "is not an address; give tcp://host:port" },
		{ "tcp://127.0.0.1:1/", -EINVAL, "is not an address" },
		{ "tcp://127.0.0.1", -EINVAL, "is not an address" },
		{ "tcp://127.0.0.1:99999", -EINVAL, "is not an address" },
		{ "", -EINVAL, "is not an address" },
	};
	struct mitosis *device = open_kernel();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = mitosis_connect(device, MACHINE, cases[i].address);

		printf("'%s': %d, %s\n", cases[i].address, err, mitosis_error());
		CHECK_EQ(err, cases[i].err);
		CHECK(strstr(mitosis_error(), cases[i].text));
	}
	mitosis_close(device);
	return 0;
}
