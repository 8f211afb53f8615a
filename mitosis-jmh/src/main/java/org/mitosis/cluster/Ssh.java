// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The system's ssh with its user's configuration: keys, agents, known hosts, jump hosts, shared
 * connections. It never asks for a password.
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
    line.add(forAnyShell(command));
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

  /**
   * ssh joins its arguments with blanks, and the account's shell splits them again. That may be csh
   * or fish, which treat line ends, exclamation marks and backslashes between quotes differently
   * from sh. So the shell gets one line for sh, with all special characters as octal escapes.
   */
  private static String forAnyShell(List<String> command) {
    String line = "exec " + command.stream().map(Ssh::quoted).collect(Collectors.joining(" "));
    StringBuilder escaped = new StringBuilder();
    for (byte b : line.getBytes(StandardCharsets.UTF_8)) {
      if (Character.isLetterOrDigit(b) || " ./_=:,+-".indexOf(b) >= 0) {
        escaped.append((char) b);
      } else {
        escaped.append(String.format("\\0%03o", b & 0xff));
      }
    }
    return "exec sh -c 'eval \"$(printf %b \"$1\")\"' sh '" + escaped + "'";
  }

  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
