// SPDX-License-Identifier: Apache-2.0
/**
 * The command line of benchmarks.jar: JMH's own, untouched, and a few words that come first.
 *
 * <p>{@link org.mitosis.cli.Main} sends a word of ours to its class and everything else to {@link
 * org.mitosis.cli.BenchmarkRun}, which checks what can be checked before the first benchmark, lets
 * JMH run, and keeps the results. A run that cannot start ends with one sentence on standard error
 * and exit code 1.
 */
package org.mitosis.cli;
