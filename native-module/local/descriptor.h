/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor: what a snapshot is, without its pages.
 *
 * One header, then `thread_count` threads, then `vma_count` VMAs by ascending
 * address, then `fd_count` file descriptors, then `strings_size` bytes of
 * NUL-terminated strings that the others point into. Its size grows with the
 * number of VMAs, never with the number of pages. Little-endian, naturally
 * aligned, no padding; version 1 holds one thread and no file descriptor.
 */
#ifndef LOCAL_DESCRIPTOR_H
#define LOCAL_DESCRIPTOR_H

#include <stdint.h>

#define DESCRIPTOR_MAGIC	0x4344544du	/* "MTDC" in memory */
#define DESCRIPTOR_VERSION	1
#define DESCRIPTOR_SIGNALS	64
#define DESCRIPTOR_NAME_SIZE	16
#define DESCRIPTOR_NO_STRING	0xffffffffu
/* The end of user memory with four-level page tables; nothing lies above. */
#define USER_MEMORY_END		0x7ffffffff000ull
#define DESCRIPTOR_VMAS_MAX	(1u << 20)

/* The parent had further threads, which the snapshot does not hold. */
#define DESCRIPTOR_THREADS_MISSING	0x1u

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

struct descriptor_header {
	uint32_t magic;
	uint16_t version;
	uint16_t header_size;
	uint64_t total_size;		/* bytes, this header included */
	uint32_t flags;			/* DESCRIPTOR_* */
	uint32_t thread_count;
	uint32_t vma_count;
	uint32_t fd_count;
	uint32_t strings_size;
	int32_t owner_pid;
	uint64_t page_size;
	uint64_t vdso_hash;		/* of the vdso: lib/describe.c; 0: none */
	char name[DESCRIPTOR_NAME_SIZE];	/* of the thread, NUL-terminated */
	struct descriptor_layout layout;
	struct descriptor_signal signals[DESCRIPTOR_SIGNALS];	/* of 1 to 64 */
};

/* State at the return of a prepare call: what a call preserves, no more. */
struct descriptor_thread {
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t rsp, rip;		/* just after the call */
	uint32_t mxcsr;
	uint16_t x87_control;
	uint16_t reserved;
	uint64_t fs_base, gs_base;
	uint64_t signal_mask;
	uint64_t altstack_base, altstack_size;
	uint32_t altstack_flags;
	int32_t tid;
	uint64_t robust_list, robust_list_size;
	uint64_t tid_address;		/* cleared at exit */
	uint64_t rseq_address;		/* 0: not registered */
	uint32_t rseq_size, rseq_signature;
};

enum descriptor_vma_kind {
	VMA_FILE = 1,		/* clean pages of a file that can be mapped again */
	VMA_SNAPSHOT = 2,	/* pages come from the snapshot */
	VMA_EMPTY = 3,		/* anonymous, never written: zeros */
	VMA_KERNEL = 4,		/* vdso, vvar: the child's own, at this address */
};

struct descriptor_vma {
	uint64_t start, end;	/* addresses, multiples of the page size */
	uint64_t offset;	/* into the file, bytes */
	uint64_t inode;
	uint32_t device_major, device_minor;
	uint32_t protection;	/* PROT_* */
	uint32_t map_flags;	/* MAP_PRIVATE or MAP_SHARED, MAP_GROWSDOWN */
	uint32_t kind;		/* enum descriptor_vma_kind */
	uint32_t name;		/* string: path or [name], or DESCRIPTOR_NO_STRING */
};

/* A file descriptor to open again in the child (none in version 1). */
struct descriptor_fd {
	uint32_t number;
	uint32_t flags;
	uint64_t position;
	uint32_t path;		/* string */
	uint32_t reserved;
};

/* The parts behind the header. */
static inline const struct descriptor_thread *
descriptor_thread(const struct descriptor_header *d)
{
	return (const struct descriptor_thread *)(d + 1);
}

static inline const struct descriptor_vma *
descriptor_vmas(const struct descriptor_header *d)
{
	return (const struct descriptor_vma *)(descriptor_thread(d) +
					       d->thread_count);
}

/* "" for DESCRIPTOR_NO_STRING. */
static inline const char *descriptor_string(const struct descriptor_header *d,
					    uint32_t string)
{
	const char *strings =
		(const char *)((const struct descriptor_fd *)
			       (descriptor_vmas(d) + d->vma_count) + d->fd_count);

	return string == DESCRIPTOR_NO_STRING ? "" : strings + string;
}

/*
 * Checks that `size` bytes are a descriptor that a child of this machine can
 * be made from: sizes and counts that fit together, VMAs that ascend, are
 * aligned and lie in user memory, strings that end. Returns 0 or -EPROTO.
 */
int descriptor_check(const void *bytes, uint64_t size, uint64_t page_size);

#endif /* LOCAL_DESCRIPTOR_H */
