// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.mitosis.result.BuildInfo;

class MainTest {
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
