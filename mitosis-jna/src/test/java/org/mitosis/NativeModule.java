// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.nio.file.Files;
import java.nio.file.Path;

/** The folder of the C sources, seen from the folder in which Maven runs the tests. */
public final class NativeModule {
  public static final Path ROOT = Path.of("..", "native-module").toAbsolutePath().normalize();

  private NativeModule() {}

  /** A file that its Makefile builds. */
  public static Path built(String name) {
    Path file = ROOT.resolve("target").resolve(name);
    if (!Files.exists(file)) {
      throw new AssertionError(file + " is not there: run make -C native-module");
    }
    return file;
  }
}
