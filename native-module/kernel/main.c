// SPDX-License-Identifier: GPL-2.0
/*
 * Remote fork: prepare keeps a copy of a process's memory, and other processes,
 * on this or on other machines, become copies of that process. Their pages are
 * fetched on demand. See include/uapi/mitosis.h and DESIGN.md.
 */
#include <linux/module.h>

#include "auth.h"
#include "debugfs.h"
#include "device.h"
#include "fork_tracker.h"
#include "overlay.h"
#include "parameters.h"
#include "rdma_link.h"
#include "remote.h"
#include "resume.h"
#include "selftest.h"
#include "server.h"
#include "session.h"
#include "shadow.h"
#include "snapshot.h"
#include "symbols.h"
#include "thread.h"
#include "token.h"
#include "work_item.h"

static int __init mitosis_init(void)
{
	int err = mitosis_symbols_init();

	if (!err)
		err = mitosis_thread_init();
	if (!err && mitosis_selftest)
		err = mitosis_selftest_run();
	if (!err)
		err = mitosis_auth_init();
	if (err)
		return err;
	mitosis_tokens_init();
	err = mitosis_shadow_init();
	if (err)
		goto err_auth;
	err = mitosis_fork_tracker_init();
	if (err)
		goto err_shadow;
	err = mitosis_work_items_init();
	if (err)
		goto err_fork_tracker;
	err = mitosis_rdma_links_init();
	if (err)
		goto err_work_items;
	err = mitosis_sessions_init();
	if (err)
		goto err_rdma_links;
	err = mitosis_server_init();
	if (err)
		goto err_sessions;
	mitosis_debugfs_init();
	mitosis_resume_init();
	err = mitosis_device_init();
	if (err)
		goto err_server;
	return 0;

err_server:
	mitosis_debugfs_exit();
	mitosis_server_exit();
err_sessions:
	mitosis_sessions_exit();
err_rdma_links:
	mitosis_rdma_links_exit();
err_work_items:
	mitosis_work_items_exit();
err_fork_tracker:
	mitosis_fork_tracker_exit();
err_shadow:
	mitosis_shadow_exit();
err_auth:
	mitosis_tokens_exit();
	mitosis_auth_exit();
	return err;
}

/* Open files, snapshots and children hold the module: there are none left. */
static void __exit mitosis_exit(void)
{
	mitosis_device_exit();
	mitosis_debugfs_exit();
	mitosis_server_exit();
	mitosis_work_items_exit();
	mitosis_remotes_exit();
	mitosis_rdma_links_exit();
	mitosis_sessions_exit();
	mitosis_fork_tracker_exit();
	mitosis_shadow_exit();
	mitosis_overlay_exit();
	mitosis_snapshots_exit();
	mitosis_tokens_exit();
	mitosis_auth_exit();
}

module_init(mitosis_init);
module_exit(mitosis_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Remote fork: prepare a process, resume it here or on another machine");
