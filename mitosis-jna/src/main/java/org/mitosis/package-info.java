// SPDX-License-Identifier: Apache-2.0

/**
 * Remote fork for Java programs: what a user imports.
 *
 * <p>{@link org.mitosis.Mitosis} chooses a backend and opens a {@link org.mitosis.Device}; a device
 * prepares, lists and resumes snapshots; {@link org.mitosis.MitosisException} tells what failed and
 * what to do. No signature here names a backend's class or a JNA type: backends are found through
 * {@link java.util.ServiceLoader}, so that this package depends on none of them.
 */
package org.mitosis;
