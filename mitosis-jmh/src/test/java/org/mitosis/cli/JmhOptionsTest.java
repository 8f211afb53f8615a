// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class JmhOptionsTest {
  @Test
  void forksGetOurPropertiesAndNoOthers() {
    Properties properties = new Properties();
    properties.setProperty("user.dir", "/somewhere");
    properties.setProperty("mitosis.results.hlog", "/r/hlog");
    properties.setProperty("mitosis.backend", "user");
    assertEquals(
        List.of("-Dmitosis.backend=user", "-Dmitosis.results.hlog=/r/hlog"),
        JmhOptions.forkArguments(properties, List.of(), 17));
  }

  @Test
  void whatJmhPassesOnIsNotRepeated() {
    Properties properties = new Properties();
    properties.setProperty("mitosis.backend", "user");
    properties.setProperty("mitosis.name", "mine");
    assertEquals(
        List.of("-Dmitosis.name=mine"),
        JmhOptions.forkArguments(properties, List.of("-Xmx1g", "-Dmitosis.backend=user"), 17));
  }

  @Test
  void newJdksAreToldThatNativeAccessIsMeant() {
    String option = "--enable-native-access=ALL-UNNAMED";
    assertEquals(List.of(), JmhOptions.forkArguments(new Properties(), List.of(), 21));
    assertEquals(List.of(option), JmhOptions.forkArguments(new Properties(), List.of(), 22));
    assertEquals(List.of(), JmhOptions.forkArguments(new Properties(), List.of(option), 23));
    assertEquals(
        List.of(option, "--sun-misc-unsafe-memory-access=allow"),
        JmhOptions.forkArguments(new Properties(), List.of(), 25));
    assertEquals(List.of(), JmhOptions.forkArguments(new Properties(), List.of(), 0));
  }
}
