// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The script that starts the agent on a machine: it copies this host's benchmarks.jar there if
 * necessary, and executes the agent, which uses the same connection.
 *
 * <p>Each line that it prints has {@value #MARK}, behind what a login script may have left on that
 * line, and then {@code have}; or {@code need}, after which it reads the jar's bytes and prints
 * {@code have}; or the name of an error, and details.
 *
 * @param jar the file
 * @param sha256 its digest in hexadecimal digits
 * @param bytes its size
 */
record Bootstrap(Path jar, String sha256, long bytes) {
  /** Prefix of the script's lines, which tells them from the output of login scripts. */
  static final String MARK = "mitosis-cluster: ";

  /** The name of the jar on a machine. */
  static final String JAR = "benchmarks.jar";

  private static final String SCRIPT =
      """
      directory=$1 digest=$2 bytes=$3 deploy=$4 java=$5 lease=$6 backend=$7
      case $directory in /*) ;; *) directory=$HOME/$directory ;; esac
      jar=$directory/benchmarks.jar
      say() { echo "mitosis-cluster: $1"; }
      digest_of() { sha256sum "$1" 2>/dev/null | cut -d" " -f1; }
      # What lies in the folder runs with this account's rights. In a folder that all can write to,
      # like /tmp, a name is whose who was first.
      require_safe() {
        here=$(cd "$1" && pwd -P) || return 0
        at=$here ours=
        while :; do
          if [ "$(find "$at/." -prune -perm -0002)" ] &&
            { [ ! "$ours" ] || [ ! "$(find "$at/." -prune -perm -1000)" ]; }; then
            say "unsafe $at"
            exit 1
          fi
          ours=$(find "$at/." -prune '(' -user "$(id -u)" -o -user 0 ')')
          [ "$at" != / ] || break
          at=$(dirname "$at")
        done
        directory=$here
        jar=$directory/benchmarks.jar
      }
      if ! command -v "$java" >/dev/null 2>&1; then
        say "no-java"
        exit 1
      fi
      [ ! -d "$directory" ] || require_safe "$directory"
      if [ "$(digest_of "$jar")" = "$digest" ]; then
        say have
      elif [ "$deploy" != true ]; then
        say "differs $([ -e "$jar" ] && "$java" -jar "$jar" --version 2>&1 | head -n 1)"
        exit 1
      else
        if ! mkdir -p "$directory"; then
          say "cannot-write"
          exit 1
        fi
        require_safe "$directory"
        # Machines may share their home directories.
        new=$directory/.benchmarks.jar.$(uname -n).$$
        if ! : >"$new"; then
          say "cannot-write"
          exit 1
        fi
        trap 'rm -f "$new"' EXIT
        say need
        if ! head -c "$bytes" >"$new"; then
          say "cannot-write $(df -Pk "$directory" | awk "NR == 2 { print \\$4 }") KiB free"
          exit 1
        fi
        if [ "$(digest_of "$new")" != "$digest" ]; then
          say "damaged"
          exit 1
        fi
        if ! mv "$new" "$jar"; then
          say "cannot-write"
          exit 1
        fi
        trap - EXIT
        say have
      fi
      cd "$directory" || exit 1
      # Last wins: a JAVA_TOOL_OPTIONS of the account may log to the channel.
      exec "$java" -Xlog:disable -Xlog:all=warning:stderr -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \\
        "-Dmitosis.native.dir=$directory/native" "-Dmitosis.cluster.dir=$directory" \\
        "-Dmitosis.cluster.leaseSeconds=$lease" "-Dmitosis.backend=$backend" -jar "$jar" cluster-agent
      """;

  /**
   * The script for the jar that this program runs from.
   *
   * @throws MissingPrerequisite if it runs from something else
   */
  static Bootstrap ofThisJar() {
    return of(thisJar());
  }

  /**
   * The jar that this program runs from.
   *
   * @throws MissingPrerequisite if it runs from something else
   */
  static Path thisJar() {
    Path jar;
    try {
      jar = Path.of(Bootstrap.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException("a code source is a URI", e);
    }
    if (!Files.isRegularFile(jar)) {
      throw new MissingPrerequisite(
          "'cluster' copies benchmarks.jar to the machines, and this runs from "
              + jar
              + ": start it with java -jar benchmarks.jar");
    }
    return jar;
  }

  static Bootstrap of(Path jar) {
    try (DigestInputStream in =
        new DigestInputStream(Files.newInputStream(jar), MessageDigest.getInstance("SHA-256"))) {
      in.transferTo(OutputStream.nullOutputStream());
      return new Bootstrap(
          jar, HexFormat.of().formatHex(in.getMessageDigest().digest()), Files.size(jar));
    } catch (IOException e) {
      throw new MissingPrerequisite(jar + " cannot be read: " + e.getMessage());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** The command for a machine. */
  List<String> command(ClusterConfig config) {
    return List.of(
        "sh",
        "-c",
        SCRIPT,
        "mitosis-cluster",
        config.projectPath(),
        sha256,
        Long.toString(bytes),
        Boolean.toString(config.deploys()),
        config.java(),
        Integer.toString(config.leaseSeconds()),
        config.backend().toString());
  }

  /** The jar's content. */
  InputStream open() throws IOException {
    return Files.newInputStream(jar);
  }
}
