// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

/** Options of the forked JVMs, the same for all benchmarks. */
final class JvmOptions {
  /** JDK 24 and later warn when JNA loads a library, unless told that it may. */
  static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

  /** By default a JVM stops at a quarter of the memory; the fixtures check what is there. */
  static final String MUCH_DIRECT_MEMORY = "-XX:MaxDirectMemorySize=4t";

  private JvmOptions() {}
}
