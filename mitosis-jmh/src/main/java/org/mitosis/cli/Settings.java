// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.Collection;
import java.util.List;
import org.mitosis.Mitosis;
import org.mitosis.fixture.Crac;
import org.mitosis.fixture.Criu;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.PythonInterpreter;
import org.mitosis.kernel.KernelBackend;
import org.mitosis.nativefiles.NativeFiles;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.ResultFolder;
import org.mitosis.setting.MissingPrerequisite;

/** The system properties that a command line may set. */
final class Settings {
  static final String PREFIX = "mitosis.";

  /** Which functions {@code ./bench} installs the packages of; nothing in the jar reads it. */
  private static final String FUNCTIONS = "mitosis.functions";

  /** In the order of the help text. */
  static final List<String> KNOWN =
      List.of(
          Mitosis.BACKEND_PROPERTY,
          ResultFolder.PROPERTY,
          ResultFolder.NAME_PROPERTY,
          NativeFiles.DIRECTORY_PROPERTY,
          ParentProcess.DEADLINE_PROPERTY,
          Mitosis.KEY_FILE_PROPERTY,
          Criu.PROPERTY,
          Crac.PROPERTY,
          PythonInterpreter.PROPERTY,
          FUNCTIONS,
          KernelBackend.DEVICE_PROPERTY,
          HistogramLog.DIRECTORY_PROPERTY);

  private Settings() {}

  /**
   * Checks that each of these properties that would be one of ours is.
   *
   * @throws MissingPrerequisite if not; names the first one
   */
  static void requireKnown(Collection<String> properties) {
    properties.stream()
        .filter(name -> name.startsWith(PREFIX) && !KNOWN.contains(name))
        .sorted()
        .findFirst()
        .ifPresent(
            name -> {
              throw new MissingPrerequisite(
                  "there is no setting -D"
                      + name
                      + Spelling.hint(name, KNOWN)
                      + "; 'help' lists all");
            });
  }
}
