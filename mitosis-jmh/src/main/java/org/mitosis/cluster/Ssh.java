// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The system's ssh, as its user has configured it: keys, agents, known hosts, jump hosts, shared
 * connections. Only asking for passwords is ruled out.
 *
 * @param user the account; empty for what ssh chooses
 * @param configFile for {@code -F}; null for what ssh reads by itself
 * @param proxyAllowed whether a machine may be reached through another one
 */
record Ssh(String user, Path configFile, boolean proxyAllowed) implements RemoteShell {
  static Ssh of(ClusterConfig config) {
    return new Ssh(config.user(), config.sshConfig(), config.proxyAllowed());
  }

  @Override
  public List<String> commandLine(String host, List<String> command) {
    List<String> line = options();
    line.add(host);
    // ssh joins its words; the account's shell takes them apart again.
    line.add("exec " + command.stream().map(Ssh::quoted).collect(Collectors.joining(" ")));
    return line;
  }

  @Override
  public String trial(String host) {
    List<String> line = options();
    line.addAll(List.of(host, "true"));
    return String.join(" ", line);
  }

  private List<String> options() {
    List<String> line = new ArrayList<>(List.of("ssh", "-T", "-o", "BatchMode=yes"));
    if (configFile != null) {
      line.addAll(List.of("-F", configFile.toString()));
    }
    if (!proxyAllowed) {
      line.addAll(List.of("-o", "ProxyJump=none", "-o", "ProxyCommand=none"));
    }
    if (!user.isEmpty()) {
      line.addAll(List.of("-l", user));
    }
    return line;
  }

  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
