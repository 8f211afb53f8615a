// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/describe_credentials.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "paging/raw_syscall.h"

static void describe_capabilities(struct descriptor_credentials *c)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint32_t i;

	raw_syscall(SYS_capget, &header, data);
	c->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	c->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	c->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
	c->bounding = c->last_capability = 0;
	for (i = 0; i < 64; i++) {
		long in_set = raw_syscall(SYS_prctl, PR_CAPBSET_READ, i, 0, 0, 0);

		if (in_set < 0)
			break;
		c->bounding |= (uint64_t)in_set << i;
		c->last_capability = i;
	}
}

uint32_t describe_credentials(struct descriptor_credentials *c)
{
	bool no_new_privs = raw_syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	bool dumpable = raw_syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
	long securebits = raw_syscall(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
	struct stat st = { 0 };

	describe_capabilities(c);
	c->securebits = securebits;
	raw_syscall(SYS_stat, "/proc/self/ns/user", &st);
	c->user_namespace = st.st_ino;
	return (no_new_privs ? DESCRIPTOR_NO_NEW_PRIVS : 0) |
	       (dumpable ? 0 : DESCRIPTOR_UNDUMPABLE);
}
