// SPDX-License-Identifier: Apache-2.0
/**
 * Statistics of samples: pure functions of numbers, without benchmarks, files or units.
 *
 * <p>{@link org.mitosis.stats.SteadyState} finds the samples of a process that may be used, {@link
 * org.mitosis.stats.Summary} summarises them, {@link org.mitosis.stats.Bootstrap} gives confidence
 * intervals, {@link org.mitosis.stats.Comparison} tests whether two runs differ, {@link
 * org.mitosis.stats.Correction} corrects for many comparisons, and {@link
 * org.mitosis.stats.ForkPlan} says how many processes one takes.
 */
package org.mitosis.stats;
