// SPDX-License-Identifier: Apache-2.0
/*
 * Where a child runs is its caller's choice: it is in its caller's session, a child of one thread
 * is not bound to its parent's CPUs, and only a clone has the parent's NUMA policies.
 */
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

/* A node that each machine has. */
static const unsigned long first_node = 1;
#define NODES 2

/* Of memory, or with NULL of the thread. */
static int policy_of(const void *memory)
{
	int policy = -1;

	CHECK(!syscall(SYS_get_mempolicy, &policy, NULL, 0ul, memory,
		       memory ? MPOL_F_ADDR : 0));
	return policy;
}

static bool set_policies(void *memory)
{
	return !syscall(SYS_set_mempolicy, MPOL_PREFERRED, &first_node, NODES) &&
	       !syscall(SYS_mbind, memory, PAGE, MPOL_BIND, &first_node, NODES, 0);
}

static cpu_set_t cpus(void)
{
	cpu_set_t set;

	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	return set;
}

static cpu_set_t bind_to_first(const cpu_set_t *all)
{
	cpu_set_t one;
	int cpu = 0;

	while (!CPU_ISSET(cpu, all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
	return one;
}

int main(void)
{
	char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cpu_set_t all = cpus(), one, now;
	bool has_policies;
	pid_t session;

	CHECK(m != MAP_FAILED);
	if (CPU_COUNT(&all) < 2)
		target_skip("two CPUs");
	has_policies = set_policies(m);
	m[0] = 'n';
	one = bind_to_first(&all);
	session = setsid();
	CHECK(session > 0);
	target_prepare();

	CHECK_EQ(m[0], 'n');
	CHECK(getsid(0) != session && getpgrp() != session);
	target_child_has("session, process group, terminal", "fresh");
	now = cpus();
	target_child_has("CPU affinity of a process with one thread",
			 CPU_EQUAL(&now, &one) ? "kept" : "fresh");
	if (has_policies) {
		bool kept = policy_of(NULL) == MPOL_PREFERRED &&
			    policy_of(m) == MPOL_BIND;

		CHECK(kept || (policy_of(NULL) == MPOL_DEFAULT &&
			       policy_of(m) == MPOL_DEFAULT));
		target_child_has("NUMA policies (set_mempolicy, mbind)",
				 kept ? "kept" : "fresh");
	}
	return 0;
}
