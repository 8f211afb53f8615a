// SPDX-License-Identifier: Apache-2.0

/**
 * What the backends have in common.
 *
 * <p>A backend is a {@link org.mitosis.BackendProvider}, which opens devices. {@link
 * org.mitosis.spi.CheckedDevice} holds the part of a device's contract that is the same for every
 * backend: it checks arguments, serializes calls and refuses calls after close. {@link
 * org.mitosis.spi.Failure} adds advice to an errno.
 */
package org.mitosis.spi;
