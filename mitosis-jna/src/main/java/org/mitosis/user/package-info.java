// SPDX-License-Identifier: Apache-2.0

/**
 * The backend that needs no kernel module: libmitosis and its daemon.
 *
 * <p>The daemon is started on first need and ends by itself; which one a device talks to follows
 * from the environment variable {@code MITOSIS_RUNTIME_DIR}. Nothing here knows of the kernel
 * backend.
 */
package org.mitosis.user;
