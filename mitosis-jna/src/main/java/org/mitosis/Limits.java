// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

/**
 * Limits and defaults that are the same in C: those of {@code uapi/mitosis.h} and {@code
 * libmitosis.h}, without their prefix. A test compares each with what a compiled C program prints.
 */
public final class Limits {
  /** The largest prefetch window, in pages. A window is a power of two. */
  public static final int PREFETCH_PAGES_MAX = 512;

  /** The prefetch window that a resume has by default, in pages. */
  public static final int PREFETCH_PAGES_DEFAULT = 64;

  /** CPUs are numbered from 0 up to one less than this; {@code CPU_SETSIZE} of the C library. */
  public static final int CPU_SETSIZE = 1024;

  /** Open files that a snapshot can leave out: {@link PrepareOptions#leftOut}. */
  public static final int LEFT_OUT_MAX = 64;

  private Limits() {}
}
