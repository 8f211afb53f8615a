// SPDX-License-Identifier: Apache-2.0

/**
 * The backend that asks the kernel module through {@code /dev/mitosis-syscalls}.
 *
 * <p>It speaks {@code uapi/mitosis.h} itself: bare command numbers as the original module takes
 * them, arguments by value or in one buffer per device that is allocated once. Where the module
 * takes more than the original's, snapshots are taken by libmitosis: with threads and open files,
 * so that a JVM goes on in its children. Nothing here knows of the user backend.
 */
package org.mitosis.kernel;
