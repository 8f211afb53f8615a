// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/launcher/seccomp_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/*
 * What container runtimes refuse by default, as these calls act on the whole machine, on
 * other processes, or on parts of the kernel that had many holes. EPERM.
 */
static const uint16_t refused[] = {
	/* mounts, namespaces, root directories */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_setns,
	SYS_unshare,
	428 /* open_tree */,
	429 /* move_mount */,
	430 /* fsopen */,
	431 /* fsconfig */,
	432 /* fsmount */,
	433 /* fspick */,
	442 /* mount_setattr */,
	457 /* statmount */,
	458 /* listmount */,
	467 /* open_tree_attr */,
	/* other processes */
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	438 /* pidfd_getfd */,
	440 /* process_madvise */,
	448 /* process_mrelease */,
	/* keys, which have no namespace */
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	/* large parts of the kernel */
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	425 /* io_uring_setup */,
	426 /* io_uring_enter */,
	427 /* io_uring_register */,
	SYS_fanotify_init,
	SYS_fanotify_mark,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_mbind,
	SYS_set_mempolicy,
	450 /* set_mempolicy_home_node */,
	SYS_migrate_pages,
	SYS_move_pages,
	SYS_personality,
	/* the whole machine */
	SYS_acct,
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_clock_settime,
	SYS_settimeofday,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_iopl,
	SYS_ioperm,
	SYS_syslog,
	SYS_quotactl,
	443 /* quotactl_fd */,
	SYS_vhangup,
	/* no longer there, or of no use */
	SYS__sysctl,
	SYS_create_module,
	SYS_get_kernel_syms,
	SYS_query_module,
	SYS_nfsservctl,
	SYS_lookup_dcookie,
	SYS_uselib,
	SYS_ustat,
	SYS_sysfs,
};

/* The last call that was looked at for this list: removexattrat. Later ones: ENOSYS. */
#define LAST_KNOWN_CALL 466
#define X32_BIT		0x40000000
#define NAMESPACES                                                                  \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |              \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
/* A child of its parent's would have to be awaited by that, for which none looks. */
#define REFUSED_CLONE (NAMESPACES | CLONE_PARENT)
#define SOCKET_TYPES  0xf /* without SOCK_CLOEXEC and SOCK_NONBLOCK */

#define REFUSED_COUNT (sizeof(refused) / sizeof(refused[0]))

#define LOAD(field)                                                                 \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* The lower half, which is all that the kernel reads of an int. */
#define LOAD_ARGUMENT(n)	  LOAD(args[n])
#define IF_EQUAL(value, yes, no)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define IF_LARGER(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, yes, no)
#define IF_ANY_OF(bits, yes, no)  BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)
#define MASK(bits)		  BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits)
#define ANSWER(action)		  BPF_STMT(BPF_RET | BPF_K, action)
#define ERROR(number)		  ANSWER(SECCOMP_RET_ERRNO | (number))
#define ALLOW			  ANSWER(SECCOMP_RET_ALLOW)
#define KILL			  ANSWER(SECCOMP_RET_KILL_PROCESS)

/* Each block that looks at arguments ends with an answer. */
static const struct sock_filter first[] = {
	LOAD(arch),
	IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
	KILL,
	LOAD(nr),
	IF_ANY_OF(X32_BIT, 0, 1),
	KILL,
	/* glibc then uses clone, whose flags a filter can read. */
	IF_EQUAL(435 /* clone3 */, 0, 1),
	ERROR(ENOSYS),
	IF_EQUAL(SYS_clone, 0, 4),
	LOAD_ARGUMENT(0),
	IF_ANY_OF(REFUSED_CLONE, 0, 1),
	ERROR(EPERM),
	ALLOW,
	/* Writing to a terminal as if typed there, and to a console's selection. */
	IF_EQUAL(SYS_ioctl, 0, 5),
	LOAD_ARGUMENT(1),
	IF_EQUAL(TIOCSTI, 1, 0),
	IF_EQUAL(TIOCLINUX, 0, 1),
	ERROR(EPERM),
	ALLOW,
	/* No local sockets: neither the network namespace nor a mount that is read-only
	 * keeps from connecting to those that have a path. */
	IF_EQUAL(SYS_socket, 0, 6),
	LOAD_ARGUMENT(0),
	IF_EQUAL(AF_INET, 3, 0),
	IF_EQUAL(AF_INET6, 2, 0),
	IF_EQUAL(AF_NETLINK, 1, 0),
	ERROR(EAFNOSUPPORT),
	ALLOW,
	/* A pair of any other type could be connected to others: raw ones are datagrams. */
	IF_EQUAL(SYS_socketpair, 0, 8),
	LOAD_ARGUMENT(0),
	IF_EQUAL(AF_UNIX, 0, 4),
	LOAD_ARGUMENT(1),
	MASK(SOCKET_TYPES),
	IF_EQUAL(SOCK_STREAM, 2, 0),
	IF_EQUAL(SOCK_SEQPACKET, 1, 0),
	ERROR(EPERM),
	ALLOW,
};

#define FIRST_COUNT (sizeof(first) / sizeof(first[0]))

_Static_assert(REFUSED_COUNT < 250, "a jump is one byte");

const struct sock_fprog *seccomp_filter(void)
{
	static struct sock_filter filter[FIRST_COUNT + REFUSED_COUNT + 4];
	static struct sock_fprog program = { .filter = filter };
	uint16_t n = 0;
	unsigned int i;

	for (i = 0; i < FIRST_COUNT; i++)
		filter[n++] = first[i];
	for (i = 0; i < REFUSED_COUNT; i++)
		filter[n++] = (struct sock_filter)IF_EQUAL(refused[i],
							   REFUSED_COUNT - i + 1, 0);
	filter[n++] = (struct sock_filter)IF_LARGER(LAST_KNOWN_CALL, 2, 0);
	filter[n++] = (struct sock_filter)ALLOW;
	filter[n++] = (struct sock_filter)ERROR(EPERM);
	filter[n++] = (struct sock_filter)ERROR(ENOSYS);
	program.len = n;
	return &program;
}

int seccomp_filter_install(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, seccomp_filter()))
		return -errno;
	return 0;
}
