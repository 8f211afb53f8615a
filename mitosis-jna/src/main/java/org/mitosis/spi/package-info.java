// SPDX-License-Identifier: Apache-2.0

/**
 * What a backend is made of.
 *
 * <p>A {@link org.mitosis.spi.BackendProvider} says whether its backend can be used here and opens
 * devices. {@link org.mitosis.spi.CheckedDevice} holds the part of the contract that is the same
 * for every backend: arguments, closing, order of calls; {@link org.mitosis.spi.Failure} says what
 * to do about an errno.
 */
package org.mitosis.spi;
