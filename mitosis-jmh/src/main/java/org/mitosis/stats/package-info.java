// SPDX-License-Identifier: Apache-2.0
/**
 * What is said about a set of samples. Pure functions of numbers: nothing here knows of benchmarks,
 * files or units.
 *
 * <p>{@link org.mitosis.stats.SteadyState} says which samples of a process may be used, {@link
 * org.mitosis.stats.Summary} what they are like, {@link org.mitosis.stats.Bootstrap} how sure that
 * is, {@link org.mitosis.stats.Comparison} whether two sets differ, and {@link
 * org.mitosis.stats.Holm} whether that still holds when many pairs were compared.
 */
package org.mitosis.stats;
