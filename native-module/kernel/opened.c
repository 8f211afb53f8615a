// SPDX-License-Identifier: GPL-2.0
#include "opened.h"

#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "child.h"
#include "proto/descriptor.h"
#include "remote.h"
#include "resume.h"
#include "snapshot.h"
#include "token.h"

/* A remote snapshot that was there within this time, ms, is not asked for again. */
#define CHECKED_MS 100

struct opened {
	struct origin origin;
	struct mitosis_options options;
	unsigned long checked; /* of a remote snapshot: when it was there, jiffies */
};

static ssize_t opened_read(struct file *file, char __user *buffer, size_t size, loff_t *at)
{
	const struct opened *opened = file->private_data;
	const struct descriptor_header *d = mitosis_origin_descriptor(&opened->origin);

	return simple_read_from_buffer(buffer, size, at, d, d->total_size);
}

/*
 * Who opened it was let become a child. The file may have reached another process since,
 * or one that has gained rights: a child would have them.
 */
static bool is_opener(const struct file *file)
{
	const struct cred *opener = file->f_cred, *caller = current_cred();

	return uid_eq(opener->uid, caller->uid) && uid_eq(opener->euid, caller->euid) &&
	       uid_eq(opener->suid, caller->suid) && gid_eq(opener->gid, caller->gid) &&
	       gid_eq(opener->egid, caller->egid) && gid_eq(opener->sgid, caller->sgid) &&
	       opener->user_ns == caller->user_ns &&
	       cap_issubset(caller->cap_permitted, opener->cap_permitted);
}

/* Becoming its child often follows at once, and would take another round trip. */
static int check_remote(struct opened *opened)
{
	unsigned long now = jiffies;
	int err;

	if (time_before(now, READ_ONCE(opened->checked) + msecs_to_jiffies(CHECKED_MS)))
		return 0;
	err = mitosis_remote_check(opened->origin.remote);
	if (!err)
		WRITE_ONCE(opened->checked, now);
	return err;
}

/* What was permitted when it was opened may have ended since. */
static int check_snapshot(struct opened *opened)
{
	const struct origin *origin = &opened->origin;
	struct snapshot *s = origin->snapshot;

	if (!s)
		return check_remote(opened);
	if (mitosis_snapshot_is_dropped(s))
		return -ENOENT;
	return origin->grant.serial ? mitosis_grant_check(s, &origin->grant) : 0;
}

static int become(struct file *file, unsigned long argument)
{
	struct opened *opened = file->private_data;
	const struct mitosis_options options = opened->options;
	struct origin origin = opened->origin;
	struct mitosis_kept_memory kept;
	int err;

	if (copy_from_user(&kept, (void __user *)argument, sizeof(kept)))
		return -EFAULT;
	err = is_opener(file) ? check_snapshot(opened) : -EPERM;
	if (err)
		return err;
	mitosis_origin_get(&origin);
	return mitosis_resume(&origin, &options, kept.start || kept.end ? &kept : NULL);
}

static int count_child(const struct opened *opened, unsigned long argument)
{
	int err = mitosis_resume_check_files(&opened->origin);
	struct mitosis_told told;

	if (err)
		return err;
	told = mitosis_resume_count();
	return copy_to_user((void __user *)argument, &told, sizeof(told)) ? -EFAULT : 0;
}

static long opened_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	switch (command) {
	case MITOSIS_IOC_BECOME:
		return become(file, argument);
	case MITOSIS_IOC_COUNT:
		return count_child(file->private_data, argument);
	}
	return -ENOTTY;
}

static int opened_release(struct inode *inode, struct file *file)
{
	struct opened *opened = file->private_data;

	mitosis_origin_put(&opened->origin);
	kfree(opened);
	return 0;
}

static const struct file_operations opened_operations = {
	.owner = THIS_MODULE,
	.read = opened_read,
	.unlocked_ioctl = opened_ioctl,
	.release = opened_release,
};

int mitosis_opened_create(struct origin *origin, const struct mitosis_options *options)
{
	struct opened *opened = kmalloc(sizeof(*opened), GFP_KERNEL_ACCOUNT);
	int fd;

	if (!opened) {
		mitosis_origin_put(origin);
		return -ENOMEM;
	}
	*opened = (struct opened){ *origin, *options, jiffies };
	fd = anon_inode_getfd("[mitosis-snapshot]", &opened_operations, opened,
			      O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		mitosis_origin_put(origin);
		kfree(opened);
	}
	return fd;
}
