// SPDX-License-Identifier: Apache-2.0

/**
 * Unpacks the programs and the library of this release from the jar.
 *
 * <p>Internal: programs that use remote fork need only {@code org.mitosis}.
 */
package org.mitosis.nativefiles;
