/* SPDX-License-Identifier: GPL-2.0 */
/* Writes the descriptor of a snapshot, from its shadow's VMAs. */
#ifndef MITOSIS_DESCRIBE_H
#define MITOSIS_DESCRIBE_H

#include <linux/path.h>
#include <linux/types.h>

#include "owner.h"
#include "proto/build_id.h"
#include "proto/descriptor.h"
#include "thread.h"

struct file;
struct inode;
struct mm_struct;

/* The parent's state at the prepare call. */
struct parent {
	struct owner owner;
	pid_t pid;
	bool threads_missing; /* it had threads besides the caller and did not tell of them */
	struct path root;
	struct thread_state thread;
	struct descriptor_header *told; /* its description, which has been checked, or NULL */
};

struct description {
	struct descriptor_header *descriptor;
	struct file **files; /* per VMA of the descriptor, or NULL */
};

/*
 * Copies and checks what the calling process tells of itself, MITOSIS_IOC_PREPARE_DESCRIBED,
 * and adds what can be read of it. Returns it, to be freed by kvfree(), or an error pointer.
 */
struct descriptor_header *mitosis_describe_read(const void __user *description, u64 size);

/*
 * Describes the parent with its shadow's memory. The files' paths begin at the
 * parent's root. Returns 0 with the description, or -errno: -EBADMSG the parent's
 * registers, or what it told, do not fit its memory.
 */
int mitosis_describe(const struct parent *parent, struct mm_struct *shadow,
		     struct description *description);
void mitosis_description_destroy(struct description *description);

/* descriptor_hash() of a process's vdso; 0 if it has none. */
u64 mitosis_describe_vdso(const struct mm_struct *mm);

/* The descriptor_file_version() of a file as it is now. */
u64 mitosis_file_version(const struct inode *inode);

/* The build-id of an ELF file; "" without one. Reads the file. */
void mitosis_file_build_id(struct file *file, char text[BUILD_ID_TEXT]);

#endif /* MITOSIS_DESCRIBE_H */
