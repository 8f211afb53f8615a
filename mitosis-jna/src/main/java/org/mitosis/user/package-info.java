// SPDX-License-Identifier: Apache-2.0

/**
 * The backend that needs no kernel module: libmitosis and its daemon.
 *
 * <p>The daemon is started on first need and ends when it is idle; the environment variable {@code
 * MITOSIS_RUNTIME_DIR} chooses the daemon of a device. {@link org.mitosis.user.Children} starts
 * children of either backend.
 */
package org.mitosis.user;
