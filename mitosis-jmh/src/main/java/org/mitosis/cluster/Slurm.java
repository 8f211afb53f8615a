// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The machines of a Slurm allocation, reached by {@code srun} instead of ssh.
 *
 * @param jobId of the allocation
 * @param hosts its machines, in Slurm's order
 */
record Slurm(String jobId, List<String> hosts) implements RemoteShell {
  private static final long DEADLINE_S = 20;

  /**
   * The allocation of this process.
   *
   * @param environment of this process
   * @throws MissingPrerequisite if there is none, or Slurm's programs are not installed
   */
  static Slurm ofAllocation(Map<String, String> environment) {
    String jobId = environment.getOrDefault("SLURM_JOB_ID", "");
    String nodes = environment.getOrDefault("SLURM_JOB_NODELIST", "");
    if (!jobId.matches("[0-9]+") || nodes.isEmpty()) {
      throw new MissingPrerequisite(
          "--launcher slurm takes its machines from an allocation, and this is none: run it with"
              + " 'salloc -N 4 java -jar benchmarks.jar cluster …', or in a job of sbatch");
    }
    return new Slurm(jobId, expanded(nodes));
  }

  private static List<String> expanded(String nodes) {
    try {
      Process process =
          new ProcessBuilder("scontrol", "show", "hostnames", nodes)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new MissingPrerequisite("'scontrol show hostnames " + nodes + "' failed, see above");
      }
      return output.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    } catch (IOException e) {
      throw new MissingPrerequisite(
          "scontrol cannot be run: "
              + e.getMessage()
              + "; --launcher slurm needs Slurm's programs");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MissingPrerequisite("interrupted");
    }
  }

  @Override
  public List<String> commandLine(String host, List<String> command) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "srun",
                "--jobid=" + jobId,
                "--nodelist=" + host,
                "--nodes=1",
                "--ntasks=1",
                "--overlap",
                "--quiet",
                "--unbuffered"));
    line.addAll(command);
    return line;
  }

  @Override
  public String trial(String host) {
    return String.join(" ", commandLine(host, List.of("true")));
  }
}
