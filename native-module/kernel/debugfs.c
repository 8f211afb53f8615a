// SPDX-License-Identifier: GPL-2.0
#include "debugfs.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "snapshot.h"
#include "stats.h"

struct mitosis_counters mitosis_counters;

static struct dentry *folder;

struct mitosis_stat mitosis_stat(void)
{
#define VALUE(name) .name = atomic64_read(&mitosis_counters.name)
	return (struct mitosis_stat){
		VALUE(snapshots),      VALUE(children),
		VALUE(prepares),       VALUE(prepare_failures),
		VALUE(resumes),	       VALUE(resume_failures),
		VALUE(faults),	       VALUE(pages_shared),
		VALUE(pages_copied),   VALUE(pages_fetched),
		VALUE(pages_served),   VALUE(fault_failures),
		VALUE(pages_by_rdma),  VALUE(rdma_links),
		VALUE(rdma_fallbacks), VALUE(pages_served_by_rdma),
	};
#undef VALUE
}

static int stats_show(struct seq_file *out, void *unused)
{
	struct mitosis_stat stat = mitosis_stat();

#define LINE(name) seq_printf(out, #name " %llu\n", stat.name)
	LINE(snapshots);
	LINE(children);
	LINE(prepares);
	LINE(prepare_failures);
	LINE(resumes);
	LINE(resume_failures);
	LINE(faults);
	LINE(pages_shared);
	LINE(pages_copied);
	LINE(pages_fetched);
	LINE(pages_served);
	LINE(fault_failures);
	LINE(pages_by_rdma);
	LINE(rdma_links);
	LINE(rdma_fallbacks);
	LINE(pages_served_by_rdma);
#undef LINE
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int snapshots_show(struct seq_file *out, void *unused)
{
	struct snapshot *s;
	u64 key = 0;

	seq_puts(out, "user handler pid pinned prepared_at_ns\n");
	while ((s = mitosis_snapshot_next(&key))) {
		seq_printf(out, "%u %u %d %d %llu\n", (u32)(key >> 32), s->handler_id,
			   s->parent.pid, s->pinned, s->prepared_at_ns);
		mitosis_snapshot_put(s);
		key++;
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(snapshots);

void mitosis_debugfs_init(void)
{
	folder = debugfs_create_dir("mitosis", NULL);
	debugfs_create_file("stats", 0400, folder, NULL, &stats_fops);
	debugfs_create_file("snapshots", 0400, folder, NULL, &snapshots_fops);
}

void mitosis_debugfs_exit(void)
{
	debugfs_remove(folder);
}
