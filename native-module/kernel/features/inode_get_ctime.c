// SPDX-License-Identifier: GPL-2.0
/* 6.6 */
#include <linux/fs.h>

long long mitosis_try(const struct inode *inode);
long long mitosis_try(const struct inode *inode)
{
	return inode_get_ctime(inode).tv_sec;
}
