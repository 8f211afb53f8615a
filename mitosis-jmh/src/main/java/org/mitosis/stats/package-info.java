// SPDX-License-Identifier: Apache-2.0
/**
 * Statistics of samples: pure functions of numbers, without benchmarks, files or units.
 *
 * <p>{@link org.mitosis.stats.SteadyState} finds the samples of a process that may be used, {@link
 * org.mitosis.stats.Summary} summarises them, {@link org.mitosis.stats.Bootstrap} gives confidence
 * intervals, {@link org.mitosis.stats.Comparison} tests whether two sets differ, and {@link
 * org.mitosis.stats.Holm} corrects for many comparisons.
 */
package org.mitosis.stats;
