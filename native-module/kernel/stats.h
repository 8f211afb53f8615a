/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of MITOSIS_IOC_STAT and debugfs. */
#ifndef MITOSIS_STATS_H
#define MITOSIS_STATS_H

#include <linux/atomic.h>

#include "uapi/mitosis.h"

struct mitosis_counters {
	atomic64_t snapshots, children;
	atomic64_t prepares, prepare_failures;
	atomic64_t resumes, resume_failures;
	atomic64_t faults, pages_shared, pages_copied;
	atomic64_t pages_fetched, pages_served, fault_failures;
	atomic64_t pages_by_rdma, rdma_links, rdma_fallbacks, pages_served_by_rdma;
};

extern struct mitosis_counters mitosis_counters;

#define mitosis_count(what)	    atomic64_inc(&mitosis_counters.what)
#define mitosis_count_down(what)    atomic64_dec(&mitosis_counters.what)
#define mitosis_count_many(what, n) atomic64_add(n, &mitosis_counters.what)

struct mitosis_stat mitosis_stat(void);

#endif /* MITOSIS_STATS_H */
