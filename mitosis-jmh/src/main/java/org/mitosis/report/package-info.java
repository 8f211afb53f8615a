// SPDX-License-Identifier: Apache-2.0
/**
 * What is shown of runs: a comparison of two, a report on any number of them.
 *
 * <p>Everything is made from the files that runs leave ({@link org.mitosis.result.Run}), on any
 * machine; what they mean is computed in {@link org.mitosis.stats}. A report of a full run takes a
 * few seconds and some hundred MiB.
 */
package org.mitosis.report;
