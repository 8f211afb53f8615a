// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A shell script plays the machine: its login script, and its agent. */
class AgentLinkTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private static final String HAVE = "echo 'mitosis-cluster: have';";

  /** Answers each request but the beats with the time. */
  private static final String AGENT =
      """
      while read -r line; do
        case $line in
        *beat*) ;;
        *) id=${line#*:}; printf '{"id":%s,"value":{"now":5}}\\n' "${id%%,*}" ;;
        esac
      done
      """;

  private final BlockingQueue<String> log = new LinkedBlockingQueue<>();

  private AgentLink open(String script) {
    RemoteShell shell =
        new RemoteShell() {
          @Override
          public List<String> commandLine(String host, List<String> command) {
            return List.of("sh", "-c", script);
          }

          @Override
          public String trial(String host) {
            return "ssh " + host;
          }
        };
    return AgentLink.open(
        "c1",
        shell,
        new Bootstrap(Path.of("benchmarks.jar"), "0", 0),
        ConfigFiles.config(Map.of("PARENT_HOST", "p", "CHILD_HOSTS", "c1"), "test"),
        samples -> {},
        log::add);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "echo Welcome; echo to the cluster;",
        "printf 'Loading modules... ';",
        "printf '\\033]0;node\\007';",
        "printf 'title';",
      })
  void whatALoginScriptPrintsIsSkipped(String noise) {
    try (AgentLink link = open(noise + HAVE + AGENT)) {
      assertEquals(5, link.get(new Task.ReadClock(), JsonNode.class, SOON).get("now").asInt());
    }
  }

  @Test
  void whatJavaReportsOnTheChannelIsLogged() throws InterruptedException {
    String report = "echo '[0.004s][info][gc] Using Serial';";
    try (AgentLink link = open(HAVE + report + AGENT)) {
      assertEquals(5, link.get(new Task.ReadClock(), JsonNode.class, SOON).get("now").asInt());
      assertEquals("[0.004s][info][gc] Using Serial", log.poll(SOON.toSeconds(), TimeUnit.SECONDS));
    }
  }

  @Test
  void aLoginScriptThatWaitsIsNamedSoon() throws InterruptedException {
    Thread opening =
        new Thread(
            () ->
                assertThrows(
                    MachineFailure.class,
                    () -> open("printf '\\033[1mAccept the terms? '; read -r line")));
    opening.start();
    String line = log.poll(SOON.toSeconds(), TimeUnit.SECONDS);
    opening.interrupt();
    opening.join(SOON.toMillis());
    assertEquals(
        "has not answered yet; a login script there has printed '?[1mAccept the terms?'", line);
  }

  @Test
  void aLoginScriptThatEndsTheSessionIsQuoted() {
    MachineFailure failure =
        assertThrows(MachineFailure.class, () -> open("echo 'This account is not available.'"));
    assertTrue(
        failure.getMessage().contains("printed 'This account is not available.'"),
        failure.getMessage());
  }

  @Test
  void aWordBehindNoiseIsExplained() {
    MachineFailure failure =
        assertThrows(
            MachineFailure.class,
            () -> open("printf 'Loading... '; echo 'mitosis-cluster: damaged'"));
    assertTrue(failure.getMessage().contains("arrived damaged"), failure.getMessage());
  }
}
