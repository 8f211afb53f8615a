// SPDX-License-Identifier: Apache-2.0
/**
 * The command line of benchmarks.jar: JMH's, unchanged, and a few commands of Mitosis.
 *
 * <p>{@link org.mitosis.cli.Main} passes a command to its class and everything else to {@link
 * org.mitosis.cli.BenchmarkRun}, which checks the command line and the machine before the first
 * benchmark, lets JMH run, and keeps the results. A run that cannot start ends with one message on
 * standard error and exit code 1.
 */
package org.mitosis.cli;
