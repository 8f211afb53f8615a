// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.mitosis.result.BuildInfo;

class BenchmarkRunTest {
  @Test
  void forksGetOurPropertiesAndNoOthers() {
    Properties properties = new Properties();
    properties.setProperty("user.dir", "/somewhere");
    properties.setProperty("mitosis.results.hlog", "/r/hlog");
    properties.setProperty("mitosis.backend", "user");
    assertEquals(
        List.of("-Dmitosis.backend=user", "-Dmitosis.results.hlog=/r/hlog"),
        BenchmarkRun.forkArguments(properties, List.of(), 17));
  }

  @Test
  void whatJmhPassesOnIsNotRepeated() {
    Properties properties = new Properties();
    properties.setProperty("mitosis.backend", "user");
    properties.setProperty("mitosis.name", "mine");
    assertEquals(
        List.of("-Dmitosis.name=mine"),
        BenchmarkRun.forkArguments(properties, List.of("-Xmx1g", "-Dmitosis.backend=user"), 17));
  }

  @Test
  void newJdksAreToldThatNativeAccessIsMeant() {
    String option = "--enable-native-access=ALL-UNNAMED";
    assertEquals(List.of(), BenchmarkRun.forkArguments(new Properties(), List.of(), 21));
    assertEquals(List.of(option), BenchmarkRun.forkArguments(new Properties(), List.of(), 22));
    assertEquals(List.of(), BenchmarkRun.forkArguments(new Properties(), List.of(option), 23));
    assertEquals(
        List.of(option, "--sun-misc-unsafe-memory-access=allow"),
        BenchmarkRun.forkArguments(new Properties(), List.of(), 25));
    assertEquals(List.of(), BenchmarkRun.forkArguments(new Properties(), List.of(), 0));
  }

  @Test
  void theVersionSaysWhatWasBuilt() {
    assertTrue(
        Main.version(new BuildInfo("1.2", "abc", "true"))
            .startsWith("mitosis 1.2 (commit abc, dirty, JMH "));
    assertTrue(
        Main.version(new BuildInfo("1.2", "abc", "false"))
            .startsWith("mitosis 1.2 (commit abc, JMH "));
  }
}
