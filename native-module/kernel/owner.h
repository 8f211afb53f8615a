/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose a snapshot is, and what others may do with it. All permissions of local
 * snapshots are decided here; SECURITY.md has the table.
 */
#ifndef MITOSIS_OWNER_H
#define MITOSIS_OWNER_H

#include <linux/types.h>

struct cred;
struct descriptor_credentials;
struct descriptor_header;
struct user_namespace;

/* The owner's rights at the prepare call. */
struct owner {
	const struct cred *cred;
	struct user_namespace *memory_ns; /* of its mm: who may read undumpable memory */
	bool dumpable;
	bool no_new_privs;
	bool seccomp; /* it had a filter */
};

/* Takes the calling process's, with references. */
void mitosis_owner_save(struct owner *owner);
void mitosis_owner_put(struct owner *owner);

/*
 * Whether the caller may become the snapshot without a token: its user and group
 * ids (real, effective, saved) are the owner's, in the same user namespace and with
 * the same security label, and it has at least the owner's permitted capabilities.
 * An undumpable snapshot also needs exactly these capabilities and CAP_SYS_PTRACE,
 * as it does for ptrace(2).
 */
bool mitosis_owner_lets_become(const struct owner *owner);

/*
 * The same for a snapshot of another machine, of which only the user id is known:
 * for root's or an undumpable one the caller needs CAP_SYS_PTRACE, too.
 */
bool mitosis_owner_lets_become_remote(const struct descriptor_header *descriptor);

/* Whether the caller may list and drop it: the owner, or with CAP_SYS_PTRACE. */
bool mitosis_owner_lets_manage(const struct owner *owner);

/* The DESCRIPTOR_* flags that children must carry. */
u32 mitosis_owner_flags(const struct owner *owner);

/* What children must not exceed. */
struct descriptor_credentials mitosis_owner_credentials(const struct owner *owner);

/* The same for other machines, which the parent cannot have written. */
struct parent_rights mitosis_owner_rights(const struct owner *owner);

/*
 * Lays the descriptor's flags and securebits on the calling process, and takes the
 * capabilities that the owner had not; it never gets a right. Must be called before
 * the snapshot's memory is mapped. Returns 0 or -ENOMEM.
 */
int mitosis_owner_confine(const struct descriptor_header *descriptor);

#endif /* MITOSIS_OWNER_H */
