// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.util.List;

/** The way to run a command on another machine, over this host's own programs. */
interface RemoteShell {
  /**
   * The local command line that runs a command on a machine, with its standard streams.
   *
   * @param host the machine
   * @param command program and arguments, for the machine's shell or none
   */
  List<String> commandLine(String host, List<String> command);

  /** What to try by hand when a machine cannot be reached. */
  String trial(String host);
}
