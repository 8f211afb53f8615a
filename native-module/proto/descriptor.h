/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The descriptor: what a snapshot is, without its pages.
 *
 * One header, then the thread that called prepare, then the other `thread_count - 1`,
 * which are stopped in a signal handler, then `vma_count` VMAs by ascending address,
 * then `fd_count` open files by ascending number, then `strings_size` bytes of
 * NUL-terminated strings that the others point into, then `data_size` bytes that were in
 * the open files, then `xstate_size` bytes of the thread's extended registers. Its size
 * grows with the number of VMAs and open files, never with the number of pages.
 * Little-endian, naturally aligned, no padding but NULs at the end of the strings.
 */
#ifndef PROTO_DESCRIPTOR_H
#define PROTO_DESCRIPTOR_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#include "proto/cpu_features.h"

#define DESCRIPTOR_MAGIC     0x4344544du /* "MTDC" in memory */
#define DESCRIPTOR_VERSION   14
#define DESCRIPTOR_SIGNALS   64
#define DESCRIPTOR_NAME_SIZE 16
#define DESCRIPTOR_NO_STRING 0xffffffffu
/* The end of user memory with four-level page tables; nothing lies above. */
#define USER_MEMORY_END	       0x7ffffffff000ull
#define DESCRIPTOR_VMAS_MAX    (1u << 20)
#define DESCRIPTOR_THREADS_MAX 32768u
/* The highest number that Linux gives a thread. */
#define DESCRIPTOR_TID_MAX (1 << 22)

/*
 * The xstate is what XSAVE writes, in its standard format: 512 bytes of x87 and
 * SSE, a header of 64, then what XSTATE_FEATURES adds (AVX, AVX-512). Where
 * each part lies differs between makers of CPUs, so its size has to be the one
 * of the child's CPU. It starts at a multiple of 64 bytes.
 */
#define XSTATE_FEATURES	    0xe7ull
#define XSTATE_LEGACY_SIZE  512u
#define XSTATE_SIZE_MIN	    576u
#define XSTATE_SIZE_MAX	    4096u
#define XSTATE_ALIGNMENT    64u
#define XSTATE_MXCSR_OFFSET 24u
#define XSTATE_MXCSR_MASK   0xffffu

struct descriptor_xstate_header {
	uint64_t features;  /* what is not in its initial state */
	uint64_t compacted; /* 0: standard format */
	uint64_t reserved[6];
};

/* It had further threads, which the snapshot does not hold (kernel module, bare ioctl). */
#define DESCRIPTOR_THREADS_MISSING 0x1u
/* It had no_new_privs. Children get it, too. */
#define DESCRIPTOR_NO_NEW_PRIVS 0x2u
/* Its memory was not dumpable (PR_SET_DUMPABLE). As above. */
#define DESCRIPTOR_UNDUMPABLE 0x4u
/* Its first thread had ended before the others: no thread has the process's id. */
#define DESCRIPTOR_LEADER_ENDED 0x8u
/* It had a seccomp filter, which the snapshot does not hold: nothing becomes its child. */
#define DESCRIPTOR_SECCOMP 0x10u
/*
 * Prepare was a system call (kernel module), and its caller takes what a child is told from two of
 * the registers that it else preserves: the number from rdi, the machine's id from rsi.
 * Where it was a call of a function, which preserves neither, they are there in any case.
 */
#define DESCRIPTOR_TOLD 0x20u

/* As the kernel's struct sigaction: what rt_sigaction() reads and writes. */
struct descriptor_signal {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/* The fields of struct prctl_mm_map that a child needs. */
struct descriptor_layout {
	uint64_t start_code, end_code;
	uint64_t start_data, end_data;
	uint64_t start_brk, brk;
	uint64_t start_stack;
	uint64_t arg_start, arg_end;
	uint64_t env_start, env_end;
};

/* The inode number of the initial user namespace on every machine: /proc/self/ns/user. */
#define DESCRIPTOR_INITIAL_NAMESPACE 0xeffffffdull

/*
 * What the parent might do, which its children do not exceed. Capabilities are bits, 1 <<
 * CAP_*; they count in the user namespace with this inode number.
 */
struct descriptor_credentials {
	uint64_t permitted, effective, inheritable, bounding;
	uint64_t user_namespace;
	uint32_t securebits;	  /* SECBIT_* */
	uint32_t last_capability; /* that the parent's kernel knows */
};

/* RLIMIT_*, and the words of an auxiliary vector that every kernel has room for. */
#define DESCRIPTOR_LIMITS     16
#define DESCRIPTOR_AUXV_WORDS 64

/* As struct rlimit64: ~0 is no limit. */
struct descriptor_limit {
	uint64_t soft, hard;
};

/* What of a descriptor_process is known: bits. */
#define PROCESS_LIMITS		  0x1ull
#define PROCESS_TIMER_SLACK	  0x2ull
#define PROCESS_FILE_MODE_MASK	  0x4ull
#define PROCESS_PERSONALITY	  0x8ull
#define PROCESS_SCHEDULING	  0x10ull
#define PROCESS_IO_PRIORITY	  0x20ull
#define PROCESS_OOM_SCORE	  0x40ull
#define PROCESS_COREDUMP_FILTER	  0x80ull
#define PROCESS_HUGE_PAGES	  0x100ull
#define PROCESS_MEMBARRIER	  0x200ull
#define PROCESS_WORKING_DIRECTORY 0x400ull
#define PROCESS_PROGRAM		  0x800ull
#define PROCESS_AUXV		  0x1000ull
#define PROCESS_MERGING		  0x2000ull
#define PROCESS_EXECUTION	  0x4000ull
#define PROCESS_ALL		  0x7fffull

/* What the parent had, and neither what it forks nor a child has: as far as is known. */
#define FRESH_INTERVAL_TIMERS 0x1u  /* setitimer(2), alarm(2) */
#define FRESH_TIMERS	      0x2u  /* timer_create(2) */
#define FRESH_SIGNALS	      0x4u  /* pending */
#define FRESH_LOCKS	      0x8u  /* mlock(2) */
#define FRESH_SUBREAPER	      0x10u /* PR_SET_CHILD_SUBREAPER */
#define FRESH_DEATH_SIGNAL    0x20u /* PR_SET_PDEATHSIG */
#define FRESH_SEGMENTS	      0x40u /* modify_ldt(2) */
/* What a thread had for itself, other than that which prepared: all of a child's have the latter's. */
#define FRESH_THREAD_FILES	0x80u  /* unshare(2), CLONE_FILES */
#define FRESH_THREAD_DIRECTORY	0x100u /* CLONE_FS: also root, umask */
#define FRESH_THREAD_RIGHTS	0x200u /* ids, groups, capabilities, no_new_privs */
#define FRESH_THREAD_SCHEDULING 0x400u /* policy, nice, timer slack, personality */
#define FRESH_THREAD_NAMESPACES 0x800u /* setns(2) */
#define FRESH_ALL		0xfffu

/* The bits of PR_SET_MDWE: refuse, and do not pass that on. */
#define DESCRIPTOR_EXECUTION_REFUSED 1u
#define DESCRIPTOR_EXECUTION_MAX     3u

/*
 * What fork passes on of a process beside its memory, its threads and its rights. A
 * child gets it as far as its caller may give it.
 */
struct descriptor_process {
	uint64_t known; /* PROCESS_* */
	struct descriptor_limit limits[DESCRIPTOR_LIMITS];
	uint64_t timer_slack_ns;
	uint32_t file_mode_mask;    /* umask(2) */
	uint32_t personality;	    /* personality(2) */
	int32_t nice;		    /* -20 to 19 */
	uint32_t policy;	    /* SCHED_* */
	uint32_t priority;	    /* of a real-time policy, 1 to 99 */
	uint32_t io_priority;	    /* ioprio_set(2) */
	int32_t oom_score_adj;	    /* -1000 to 1000 */
	uint32_t coredump_filter;   /* core(5) */
	uint32_t huge_pages;	    /* PR_GET_THP_DISABLE */
	uint32_t membarrier;	    /* MEMBARRIER_CMD_REGISTER_* */
	uint32_t merging;	    /* PR_GET_MEMORY_MERGE */
	uint32_t execution;	    /* PR_GET_MDWE: DESCRIPTOR_EXECUTION_* */
	uint32_t working_directory; /* string */
	uint32_t program;	    /* string: what /proc/self/exe names */
	uint32_t auxv_words; /* of those that follow, with the final AT_NULL */
	uint32_t fresh;	     /* FRESH_* */
	uint64_t auxv[DESCRIPTOR_AUXV_WORDS];
};

struct descriptor_header {
	uint32_t magic;
	uint16_t version;
	uint16_t header_size;
	uint64_t total_size; /* bytes, this header included */
	uint32_t flags;	     /* DESCRIPTOR_* */
	uint32_t thread_count;
	uint32_t vma_count;
	uint32_t fd_count;
	uint32_t strings_size;
	int32_t owner_pid;
	uint32_t owner_uid;
	uint32_t
		xstate_size; /* bytes; 0: the thread's mxcsr and x87_control say all */
	uint64_t xfeatures; /* that the xstate has room for */
	uint64_t page_size;
	uint64_t vdso_hash; /* descriptor_hash() of the vdso's pages; 0: none */
	uint64_t data_size; /* bytes that were in the open files */
	char name[DESCRIPTOR_NAME_SIZE]; /* of the thread, NUL-terminated */
	struct descriptor_layout layout;
	struct descriptor_credentials credentials;
	int32_t process; /* the parent's id as it sees it; 0 if it has one thread */
	/* Tells it from others of this parent: from the time of prepare; 0: kernel module. */
	uint32_t instance;
	struct descriptor_signal signals[DESCRIPTOR_SIGNALS]; /* of 1 to 64 */
	struct descriptor_process state;
	/* The parent's clocks, read after prepare; 0 if it has one thread. */
	int64_t monotonic_ns, boottime_ns;
	uint32_t cpu_features[CPU_FEATURE_WORDS]; /* of the parent's machine */
	/*
	 * Where the snapshot's code lies that makes a replica of it: it takes a struct
	 * replica_start (local/replica.h). 0: there is none (kernel module).
	 */
	uint64_t replica_entry;
	/* Tells the parent's machine, since it started, from others; 0: not known. */
	uint64_t boot;
};

/*
 * State at the return of a prepare call. A call preserves rbx to r15 without
 * what lies between; the instruction `syscall` the rest as well, and the
 * extended registers, which is what the kernel module's parents rely on.
 */
struct descriptor_thread {
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t rsp, rip; /* just after the call */
	uint32_t mxcsr;
	uint16_t x87_control;
	uint16_t reserved;
	uint64_t fs_base, gs_base;
	uint64_t signal_mask;
	uint64_t altstack_base, altstack_size;
	uint32_t altstack_flags;
	int32_t tid;
	uint64_t robust_list, robust_list_size;
	uint64_t tid_address;  /* cleared at exit */
	uint64_t rseq_address; /* 0: not registered */
	uint32_t rseq_size, rseq_signature;
	uint64_t rdi, rsi, rdx, r8, r9, r10;
};

/*
 * Another thread of the parent. The ucontext at `frame`, in the snapshot's memory, has
 * its registers, extended state, signal mask and alternate stack; rt_sigreturn(2) with
 * that address as stack pointer goes on with them.
 */
struct descriptor_stopped_thread {
	uint64_t frame;
	uint64_t fs_base, gs_base;
	uint64_t robust_list, robust_list_size;
	uint64_t tid_address;  /* cleared at exit */
	uint64_t rseq_address; /* 0: not registered */
	uint32_t rseq_size, rseq_signature;
	uint64_t
		cpus; /* it may run on, of the first 64; 0: on those of the caller */
	int32_t tid;
	uint32_t reserved;
	char name[DESCRIPTOR_NAME_SIZE]; /* NUL-terminated */
};

/* Of struct ucontext as the kernel writes it, without the extended state. */
#define DESCRIPTOR_FRAME_SIZE 304u

enum descriptor_vma_kind {
	VMA_FILE = 1,	  /* clean pages of a file that can be mapped again */
	VMA_SNAPSHOT = 2, /* pages come from the snapshot */
	VMA_EMPTY = 3,	  /* anonymous, never written: zeros */
	VMA_KERNEL = 4,	  /* vdso, vvar: the child's own, at this address */
};

/*
 * What madvise(2) has set for a VMA, and is set in a child as well. Memory that is not
 * given to forked processes (MADV_DONTFORK) is not in the descriptor at all.
 */
#define DESCRIPTOR_VMA_WIPE    0x1u /* MADV_WIPEONFORK; its kind is VMA_EMPTY */
#define DESCRIPTOR_VMA_NO_DUMP 0x2u /* MADV_DONTDUMP */
/* Hints, which a kernel may lack. */
#define DESCRIPTOR_VMA_HUGE	 0x4u  /* MADV_HUGEPAGE */
#define DESCRIPTOR_VMA_NO_HUGE	 0x8u  /* MADV_NOHUGEPAGE */
#define DESCRIPTOR_VMA_MERGEABLE 0x10u /* MADV_MERGEABLE */
#define DESCRIPTOR_VMA_SEALED	 0x20u /* mseal(2) */
/* MAP_DROPPABLE: with DESCRIPTOR_VMA_WIPE. */
#define DESCRIPTOR_VMA_DROPPABLE 0x40u
/* A shared mapping of a file that was opened for writing: PROT_WRITE can be set. */
#define DESCRIPTOR_VMA_MAY_WRITE 0x80u

struct descriptor_vma {
	uint64_t start, end; /* addresses, multiples of the page size */
	uint64_t offset;     /* into the file, bytes */
	uint64_t inode;
	uint32_t device_major, device_minor;
	uint32_t protection; /* PROT_* */
	uint32_t map_flags;  /* MAP_PRIVATE or MAP_SHARED, MAP_GROWSDOWN */
	uint16_t kind;	     /* enum descriptor_vma_kind */
	uint16_t flags;	     /* DESCRIPTOR_VMA_* */
	uint32_t name;	     /* string: path or [name], or DESCRIPTOR_NO_STRING */
	/*
	 * VMA_FILE: descriptor_file_version(), or DESCRIPTOR_FILE_*. Of a shared object:
	 * its size in bytes, or 0 if that is not known.
	 */
	uint64_t file_version;
	/*
	 * Strings, hexadecimal, or DESCRIPTOR_NO_STRING: of a private mapping of a file, its
	 * build-id (proto/build_id.h), and the SHA-256 of all of it.
	 */
	uint32_t build_id, digest;
};

/*
 * Whether a VMA is of a shared object: anonymous memory, a memfd, a System V segment, or
 * a deleted file, mapped with MAP_SHARED. The snapshot has a copy. A child makes one
 * object of all VMAs with the same device, inode and name.
 */
static inline int descriptor_is_object(const struct descriptor_vma *vma)
{
	return vma->kind == VMA_SNAPSHOT && vma->map_flags & 0x1 /* MAP_SHARED */;
}

/* The file could not be looked at: its device and inode alone tell. */
#define DESCRIPTOR_FILE_UNKNOWN 0u
/* What the parent has mapped is no longer at its path. */
#define DESCRIPTOR_FILE_GONE 1u

/* What an open file is, which tells how a child makes it again. */
enum descriptor_fd_kind {
	FD_REFUSED = 1,	  /* it cannot: enum descriptor_fd_refusal */
	FD_STANDARD = 2,  /* shares with standard file values[0] */
	FD_FILE = 3,	  /* at its path: size, time of the last write (s, ns) */
	FD_DIRECTORY = 4, /* at its path */
	FD_DEVICE = 5,	  /* at its path: device number as stat(2) has it */
	FD_FIFO = 6,	  /* at its path */
	FD_MEMORY = 7,	  /* memfd, or a file without a path: seals, or ~0 */
	FD_PIPE = 8,	  /* capacity; its inode tells which ends are one pipe */
	FD_EVENT = 9,	  /* count, 1 for a semaphore */
	FD_EPOLL = 10,	  /* data: struct descriptor_epoll_item each */
	FD_TIMER = 11,	  /* clock, expirations, remaining ns, interval ns */
	FD_SIGNAL = 12,	  /* mask */
	FD_INOTIFY = 13,  /* a child's watches nothing */
	/* type, index of the other end, FD_SHUT_*, options; data: options, not read yet */
	FD_SOCKET_PAIR = 14,
	/* domain, type, protocol, FD_SOCKET_* and options; data: options, address */
	FD_SOCKET = 15,
	FD_KINDS = FD_SOCKET,
};

/* Why an open file cannot be made again: values[0] of FD_REFUSED. */
enum descriptor_fd_refusal {
	FD_REFUSAL_KIND = 1,	 /* of another kind than those above */
	FD_REFUSAL_LARGE = 2,	 /* no path, and too many bytes */
	FD_REFUSAL_UNREAD = 3,	 /* its bytes or its state cannot be read */
	FD_REFUSAL_SHARING = 4,	 /* whether it shares its position is not known */
	FD_REFUSAL_WATCHED = 5,	 /* an epoll that watches what has no number */
	FD_REFUSAL_MESSAGES = 6, /* messages or descriptors are on their way */
	FD_REFUSAL_GONE = 7,	 /* no longer at its path */
	FD_REFUSAL_FILTER = 8,	 /* a socket with a filter, which cannot be read */
	FD_REFUSALS = FD_REFUSAL_FILTER,
};

#define DESCRIPTOR_FD_CLOSE_ON_EXEC 0x1u
#define DESCRIPTOR_FD_LOCKED	    0x2u /* by flock(2) or an OFD lock */
#define DESCRIPTOR_FD_GENERATED	    0x4u /* of procfs, sysfs: no size to compare */

/* values[3] of FD_SOCKET: its state, and options that are on. */
#define FD_SOCKET_BOUND	      0x1u
#define FD_SOCKET_LISTENS     0x2u
#define FD_SOCKET_CONNECTED   0x4u
#define FD_SOCKET_REUSE_ADDR  0x8u
#define FD_SOCKET_REUSE_PORT  0x10u
#define FD_SOCKET_V6_ONLY     0x20u
#define FD_SOCKET_KEEP_ALIVE  0x40u
#define FD_SOCKET_BROADCAST   0x80u
#define FD_SOCKET_NO_DELAY    0x100u
#define FD_SOCKET_FLAGS	      0x1ffu
#define FD_SOCKET_ADDRESS_MAX 128u

/* The number of options that the data of a socket begin with: in values[3] of FD_SOCKET. */
#define FD_SOCKET_OPTIONS_SHIFT 32

/* Halves of an end of a pair that are shut down. */
#define FD_SHUT_RECEIVE 0x1u
#define FD_SHUT_SEND	0x2u
#define FD_SHUT_ALL	0x3u

/* An option of a socket, as getsockopt(2) has it: which ones, lib/socket_options.c says. */
#define DESCRIPTOR_SOCKET_VALUE	      16
#define DESCRIPTOR_SOCKET_OPTIONS_MAX 128u

struct descriptor_socket_option {
	uint16_t level, name;
	char value[DESCRIPTOR_SOCKET_VALUE]; /* 0 behind what the option fills */
};

/* Standard input, output and error are a child's caller's. */
#define DESCRIPTOR_FD_FIRST    3u
#define DESCRIPTOR_FDS_MAX     (1u << 20)
#define DESCRIPTOR_DATA_MAX    (16ull << 20) /* bytes of all open files */
#define DESCRIPTOR_FD_DATA_MAX (1ull << 20)  /* bytes of one */
#define DESCRIPTOR_FD_OWN      0xffffffffu   /* shares with none before it */

struct descriptor_epoll_item {
	uint32_t number; /* of an open file, standard ones included */
	uint32_t events;
	uint64_t data;
};

/* An open file of the parent. */
struct descriptor_fd {
	uint32_t number;
	uint16_t kind;	     /* enum descriptor_fd_kind */
	uint16_t flags;	     /* DESCRIPTOR_FD_* */
	uint32_t open_flags; /* O_*, as F_GETFL has them */
	/* Index of the first that is the same open file, so shares its position. */
	uint32_t shares;
	uint32_t path; /* string: what /proc/PID/fd has */
	uint32_t data_size;
	uint64_t data; /* offset into the data of the descriptor */
	uint64_t position;
	uint64_t device, inode; /* as stat(2) has them */
	uint64_t values[4];	/* by kind */
};

/* Whether the parent's kernel knew a capability that it could not get even by exec. */
static inline int descriptor_bounded(const struct descriptor_credentials *c)
{
	return c->bounding != ~0ull >> (63 - c->last_capability);
}

/* The parts behind the header. */
static inline const struct descriptor_thread *
descriptor_thread(const struct descriptor_header *d)
{
	return (const struct descriptor_thread *)(d + 1);
}

static inline const struct descriptor_stopped_thread *
descriptor_stopped_threads(const struct descriptor_header *d)
{
	return (const struct descriptor_stopped_thread *)(descriptor_thread(d) + 1);
}

/* Whether a child's process and thread ids have to be its parent's. */
static inline int descriptor_has_threads(const struct descriptor_header *d)
{
	return d->thread_count > 1 || d->flags & DESCRIPTOR_LEADER_ENDED;
}

/* Whether a child gets in registers what it is told: DESCRIPTOR_TOLD. */
static inline int descriptor_takes_told(const struct descriptor_header *d)
{
	return d->flags & DESCRIPTOR_TOLD || !d->xstate_size;
}

/* Threads that are made besides the first one of the process. */
static inline uint32_t descriptor_awaited_threads(const struct descriptor_header *d)
{
	return d->thread_count - (d->flags & DESCRIPTOR_LEADER_ENDED ? 0 : 1);
}

static inline const struct descriptor_vma *
descriptor_vmas(const struct descriptor_header *d)
{
	return (const struct descriptor_vma *)(descriptor_stopped_threads(d) +
					       d->thread_count - 1);
}

static inline const struct descriptor_fd *
descriptor_fds(const struct descriptor_header *d)
{
	return (const struct descriptor_fd *)(descriptor_vmas(d) + d->vma_count);
}

/* "" for DESCRIPTOR_NO_STRING. */
static inline const char *descriptor_string(const struct descriptor_header *d,
					    uint32_t string)
{
	const char *strings = (const char *)(descriptor_fds(d) + d->fd_count);

	return string == DESCRIPTOR_NO_STRING ? "" : strings + string;
}

/* The bytes that were in an open file. */
static inline const void *descriptor_fd_data(const struct descriptor_header *d,
					     const struct descriptor_fd *fd)
{
	return (const char *)(descriptor_fds(d) + d->fd_count) + d->strings_size +
	       fd->data;
}

/* NULL if there is none. */
static inline const void *descriptor_xstate(const struct descriptor_header *d)
{
	return d->xstate_size ? (const char *)d + d->total_size - d->xstate_size
			      : NULL;
}

/*
 * Whether VMAs of the snapshot, other than the kernel's, hold [address, address +
 * length) without a gap. An empty range is held; one that wraps around is not.
 */
static inline int descriptor_covers(const struct descriptor_header *d,
				    uint64_t address, uint64_t length)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint64_t end = address + length;
	uint32_t i;

	if (end < address)
		return 0;
	for (i = 0; i < d->vma_count && address < end; i++) {
		if (vmas[i].end <= address || vmas[i].kind == VMA_KERNEL)
			continue;
		if (vmas[i].start > address)
			return 0;
		address = vmas[i].end;
	}
	return address >= end;
}

/* The VMA that holds an address, or NULL. */
static inline const struct descriptor_vma *
descriptor_find_vma(const struct descriptor_header *d, uint64_t address)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t low = 0, high = d->vma_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (vmas[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < d->vma_count && vmas[low].start <= address ? &vmas[low] : NULL;
}

/* What the header's vdso_hash is of `size` bytes, a multiple of 8. */
static inline uint64_t descriptor_hash(const void *bytes, uint64_t size)
{
	const uint64_t *p = (const uint64_t *)bytes;
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a, by words */

	for (; size >= sizeof(*p); size -= sizeof(*p)) {
		hash = (hash ^ *p++) * 0x100000001b3ull;
		hash ^= hash >> 32;
	}
	return hash;
}

struct descriptor_time {
	int64_t s;
	uint64_t ns;
};

/*
 * Tells two contents of one inode apart, and files that have the same device and inode
 * number on two machines: by size, time of the last write, and of the last change.
 */
static inline uint64_t descriptor_file_version(uint64_t size,
					       struct descriptor_time written,
					       struct descriptor_time changed)
{
	const uint64_t all[] = { size, written.s, written.ns, changed.s,
				 changed.ns };

	return descriptor_hash(all, sizeof(all)) | 2;
}

/*
 * Whether a file with this version, device and inode number, is the one that the parent
 * mapped. What is written to a shared mapping changes the version, and not the file.
 */
static inline int descriptor_same_version(const struct descriptor_vma *vma,
					  uint64_t version)
{
	return vma->file_version == version ||
	       vma->file_version == DESCRIPTOR_FILE_UNKNOWN ||
	       (vma->map_flags & 0x1 /* MAP_SHARED */ &&
		vma->file_version != DESCRIPTOR_FILE_GONE);
}

/*
 * Checks that `size` bytes are a descriptor that a child of this machine can
 * be made from: sizes and counts that fit together, VMAs that ascend, are
 * aligned and lie in user memory, a layout of such addresses, strings that end,
 * open files that ascend and refer to each other and to data that is there, credentials and a state that a process can have, an xstate that XRSTOR takes on a CPU with its features. Returns 0 or -EPROTO.
 */
int descriptor_check(const void *bytes, uint64_t size, uint64_t page_size);

/*
 * A description is a descriptor without VMAs and xstate: what a process tells the kernel
 * module of itself. The same checks of the rest. Returns 0 or -EPROTO.
 */
int descriptor_check_description(const void *bytes, uint64_t size,
				 uint64_t page_size);

#endif /* PROTO_DESCRIPTOR_H */
