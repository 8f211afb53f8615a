// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.setting.MissingPrerequisite;

class RemoteShellTest {
  @Test
  void sshAddsNothingToItsConfigButBatchMode() {
    assertEquals(
        List.of("ssh", "-T", "-o", "BatchMode=yes", "c1"),
        new Ssh("", null, true).commandLine("c1", List.of("true")).subList(0, 5));
    assertEquals(
        "ssh -T -o BatchMode=yes -F /c -o ProxyJump=none -o ProxyCommand=none -l me c1 true",
        new Ssh("me", Path.of("/c"), false).trial("c1"));
  }

  /** Of the account on the machine, which ssh hands the command to. */
  @ParameterizedTest
  @ValueSource(strings = {"sh", "bash", "zsh", "csh", "tcsh", "fish"})
  void argumentsPassUnchangedThroughAnyShell(String shell) throws IOException {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, shell))),
        "needs " + shell);
    List<String> command =
        List.of("printf", "%s|", "a b", "it's", "$HOME\n`x`", "\\$4 \\\\ !1 \"% ü~*?[a]#;&", "");
    List<String> line = new Ssh("", null, true).commandLine("c1", command);
    Process process =
        new ProcessBuilder(shell, "-c", line.get(line.size() - 1))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals(
        String.join("|", command.subList(2, command.size())) + "|",
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  @Test
  void slurmNeedsAnAllocation() {
    MissingPrerequisite refused =
        assertThrows(MissingPrerequisite.class, () -> Slurm.ofAllocation(Map.of()));
    assertTrue(refused.getMessage().contains("salloc"), refused.getMessage());
  }

  @Test
  void slurmsFirstMachineIsTheParentUnlessNamed() {
    Slurm allocation = new Slurm("7", List.of("n1", "n2", "n3"));
    assertEquals(
        new Roles("n1", List.of("n2", "n3")),
        Roles.of(ConfigFiles.config(Map.of(), "c"), allocation));
    assertEquals(
        new Roles("n3", List.of("n1")),
        Roles.of(
            ConfigFiles.config(Map.of("PARENT_HOST", "n3", "CHILD_HOSTS", "n1"), "c"), allocation));
    assertThrows(
        MissingPrerequisite.class,
        () -> Roles.of(ConfigFiles.config(Map.of("PARENT_HOST", "val01"), "c"), allocation));
  }
}
