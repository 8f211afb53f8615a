// SPDX-License-Identifier: Apache-2.0
/**
 * Comparisons of two runs, and reports on any number of runs.
 *
 * <p>Both read the files of runs ({@link org.mitosis.result.Run}), on any machine; the statistics
 * are computed in {@link org.mitosis.stats}. A report of a full run takes a few seconds and some
 * hundred MiB.
 */
package org.mitosis.report;
