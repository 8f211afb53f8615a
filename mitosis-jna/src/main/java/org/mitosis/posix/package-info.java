// SPDX-License-Identifier: Apache-2.0

/**
 * The C side as it is: one class per header, with C names and numbers and no policy.
 *
 * <p>{@link org.mitosis.posix.LibMitosis} maps {@code libmitosis.h} and {@link
 * org.mitosis.posix.Uapi} the numbers and structs of {@code uapi/mitosis.h}; {@link
 * org.mitosis.posix.LibC} is the one function of the C library that settings need. Functions answer
 * 0 or a count, or -errno; nothing here throws for that. JNA maps them directly and with primitives
 * only, which costs about a quarter of what mapping through an interface does.
 */
package org.mitosis.posix;
