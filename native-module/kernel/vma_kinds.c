// SPDX-License-Identifier: GPL-2.0
#include "vma_kinds.h"

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mount.h>

#include "overlay.h"

const char *mitosis_vma_special_name(struct vm_area_struct *vma)
{
	const char *name =
		vma->vm_ops && vma->vm_ops->name && !vma->vm_file ? vma->vm_ops->name(vma) : NULL;

	return name ?: "";
}

bool mitosis_vma_is_kernel(struct vm_area_struct *vma)
{
	const char *name = mitosis_vma_special_name(vma);

	return strstarts(name, "[vdso]") || strstarts(name, "[vvar");
}

bool mitosis_file_is_mappable(const struct file *file)
{
	const struct path *path = &file->f_path;

	return S_ISREG(file_inode(file)->i_mode) && !d_unlinked(path->dentry) &&
	       !(path->dentry->d_op && path->dentry->d_op->d_dname) &&
	       !(path->mnt->mnt_flags & MNT_INTERNAL);
}

bool mitosis_vma_has_object(const struct vm_area_struct *vma)
{
	const struct inode *inode = vma->vm_file ? file_inode(vma->vm_file) : NULL;

	return inode && S_ISREG(inode->i_mode) && inode->i_sb->s_magic != ANON_INODE_FS_MAGIC &&
	       !(vma->vm_flags & (VM_IO | VM_PFNMAP)) && !mitosis_overlay_owns(vma) &&
	       (vma->vm_flags & VM_HUGETLB || !mitosis_file_is_mappable(vma->vm_file));
}

bool mitosis_vma_is_object(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_MAYSHARE && mitosis_vma_has_object(vma);
}
