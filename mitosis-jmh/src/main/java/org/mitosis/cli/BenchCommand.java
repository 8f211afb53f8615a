// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.List;
import org.mitosis.setting.ExitCode;

/** A command, such as {@code report}, once its options and arguments are read. */
interface BenchCommand {
  /**
   * Does what was asked for.
   *
   * @param given the arguments after its name, as given
   * @throws Exception what prevents it; {@link BenchCommands} says it in one line
   */
  ExitCode run(List<String> given) throws Exception;
}
