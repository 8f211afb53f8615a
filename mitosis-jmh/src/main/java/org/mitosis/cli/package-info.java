// SPDX-License-Identifier: Apache-2.0
/**
 * The command line of benchmarks.jar: JMH's, unchanged, and a few commands of Mitosis.
 *
 * <p>{@link org.mitosis.cli.Main} passes what begins with a command of ours to {@link
 * org.mitosis.cli.BenchCommands}, which reads it with picocli, and everything else to {@link
 * org.mitosis.cli.BenchmarkRun}, which checks the command line and the machine before the first
 * benchmark, lets JMH run, and keeps the results. What cannot start ends with one message on
 * standard error and an {@link org.mitosis.setting.ExitCode}.
 */
package org.mitosis.cli;
