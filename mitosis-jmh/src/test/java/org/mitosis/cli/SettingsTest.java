// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mitosis.setting.MissingPrerequisite;

class SettingsTest {
  @Test
  void aSettingThatDoesNotExistIsToldWithWhatWasMeant() {
    assertEquals(
        "there is no setting -Dmitosis.reslts (did you mean 'mitosis.results'?); 'help' lists all",
        assertThrows(
                MissingPrerequisite.class,
                () -> Settings.requireKnown(List.of("java.home", "mitosis.reslts")))
            .getMessage());
    Settings.requireKnown(List.of("java.home", "mitosis.results", "mitosisother"));
  }

  @Test
  void theHelpTextListsThem() {
    String help = BenchCommandsTest.help();
    for (String name : Settings.KNOWN) {
      assertTrue(help.contains("-D" + name + "=") || name.equals("mitosis.results.hlog"), name);
    }
  }
}
