// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.List;
import org.mitosis.setting.ExitCode;

/** A word of the command line, such as {@code report}, once its options and arguments are read. */
interface Word {
  /**
   * Does what was asked for.
   *
   * @param given the arguments after the word, as given
   * @throws Exception what prevents it; {@link Words} says it in one line
   */
  ExitCode run(List<String> given) throws Exception;
}
