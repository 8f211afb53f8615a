// SPDX-License-Identifier: Apache-2.0

/**
 * What applications with hooks for org.crac run on: {@code -Dorg.crac.Core.Compat=org.mitosis.crac}
 * makes it the implementation of org.crac, which finds these classes by their names.
 *
 * <p>A checkpoint is a snapshot ({@link org.mitosis.Device#prepare}). The process that asks for it
 * lives on, so that {@code afterRestore} runs in it as well as in each child. Every other snapshot
 * of the process calls the resources, too.
 */
package org.mitosis.crac;
