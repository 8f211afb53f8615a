// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.mitosis.cli.Main;

/** What the main methods of the benchmark classes have in common. */
final class SingleClass {
  private SingleClass() {}

  /** Runs the benchmarks of a class, and no other whose name begins alike. */
  static void run(Class<?> benchmarks, String[] options) throws Exception {
    String only = "^" + Pattern.quote(benchmarks.getName()) + "[.]";
    Main.main(Stream.concat(Stream.of(options), Stream.of(only)).toArray(String[]::new));
  }
}
