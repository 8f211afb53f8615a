/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for one VMA at a time: Linux 6.11. */
#ifndef LIB_PROCMAP_QUERY_H
#define LIB_PROCMAP_QUERY_H

#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* From linux/fs.h of Linux 6.11, which the headers of Debian 12 do not have. */
#ifndef PROCMAP_QUERY
#define PROCMAP_QUERY_VMA_SHARED	   0x08
#define PROCMAP_QUERY_COVERING_OR_NEXT_VMA 0x10

struct procmap_query {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset;
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	uint32_t vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};

#define PROCMAP_QUERY _IOWR('f', 17, struct procmap_query)
#endif

#endif /* LIB_PROCMAP_QUERY_H */
