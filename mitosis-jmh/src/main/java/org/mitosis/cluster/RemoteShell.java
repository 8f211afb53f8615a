// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.util.List;

/** Runs a command on another machine, with a program of this host. */
interface RemoteShell {
  /**
   * The local command line that runs a command on a machine, with its standard streams.
   *
   * @param host the machine
   * @param command program and arguments
   */
  List<String> commandLine(String host, List<String> command);

  /** A command to try by hand when a machine cannot be reached. */
  String trial(String host);
}
