// SPDX-License-Identifier: Apache-2.0
/*
 * The child of a parent that has dropped capabilities has none of them, although its
 * caller had: in no set, and not after exec. It has the parent's securebits. What it
 * forks gets its pages nevertheless.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define KEPT                                                                        \
	(1u << CAP_CHOWN | 1u << CAP_KILL | 1u << CAP_SETUID | 1u << CAP_SETPCAP |  \
	 1u << CAP_DAC_OVERRIDE)
#define EFFECTIVE (KEPT & ~(1u << CAP_CHOWN))
#define SIZE	  (4 * MIB)

struct capabilities {
	struct __user_cap_data_struct sets[2];
};

static struct capabilities get(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct capabilities c;

	CHECK(!syscall(SYS_capget, &header, c.sets));
	return c;
}

static void drop(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct capabilities c = get();

	if (geteuid() || (c.sets[0].effective & KEPT) != KEPT)
		target_skip("root with the capabilities that it drops");
	CHECK(!prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE));
	CHECK(!prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE));
	CHECK(!prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE));
	c.sets[0] = (struct __user_cap_data_struct){ EFFECTIVE, KEPT, 0 };
	c.sets[1] = (struct __user_cap_data_struct){ 0 };
	CHECK(!syscall(SYS_capset, &header, c.sets));
}

/* What a program has that the child executes as root. */
static unsigned long long after_exec(const char *set)
{
	char command[128];
	unsigned long long bits = 0;
	FILE *out;

	snprintf(command, sizeof(command),
		 "sed -n 's/%s:[[:space:]]*//p' /proc/self/status", set);
	out = popen(command, "r");
	CHECK(out && fscanf(out, "%llx", &bits) == 1);
	CHECK_EQ(pclose(out), 0);
	return bits;
}

int main(void)
{
	const unsigned long long dropped =
		1ull << CAP_SYS_MODULE | 1ull << CAP_SYS_PTRACE;
	struct capabilities own;
	char *memory;
	pid_t pid;

	drop();
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	target_fill(memory, SIZE, 1);
	target_overwrites(memory, SIZE);
	target_prepare();

	own = get();
	CHECK_EQ(own.sets[0].permitted, KEPT);
	CHECK_EQ(own.sets[0].effective, EFFECTIVE);
	CHECK_EQ(own.sets[0].inheritable, 0);
	CHECK_EQ(own.sets[1].permitted, 0);
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_MODULE), 0);
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE), 0);
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_KILL), 1);
	CHECK_EQ(prctl(PR_GET_SECUREBITS), SECBIT_NO_CAP_AMBIENT_RAISE);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_EQ(target_differs(memory, 0, SIZE / 2, 1), -1);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(target_differs(memory, SIZE / 2, SIZE / 2, 1), -1);
		_exit(0);
	}
	CHECK_ENDS_WELL(pid);
	CHECK_EQ(after_exec("CapPrm") & dropped, 0);
	CHECK_EQ(after_exec("CapBnd") & dropped, 0);
	target_child_has("capabilities", "kept");
	target_child_has("capability bounding set", "kept");
	target_child_has("securebits", "kept");
	return 0;
}
