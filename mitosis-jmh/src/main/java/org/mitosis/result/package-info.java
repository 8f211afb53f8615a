// SPDX-License-Identifier: Apache-2.0
/**
 * What a run leaves behind, and how it is read again.
 *
 * <p>A figure that a benchmark or a process it drives measures by its own clock takes this way:
 *
 * <pre>
 * forked JVM:  benchmark -> SelfTimed -> SelfTimedProfiler -> secondary metric -> JMH's JSON
 *                                                   '-> HistogramLog (.hlog)
 * afterwards:  HistogramLog + Environment + ReferenceFigures -> ArtifactTable
 * </pre>
 *
 * <p>JMH's JSON is as JMH writes it; everything of our own lies beside it in the {@link
 * org.mitosis.result.ResultFolder}. Recording a sample costs some tens of ns, keeping the samples
 * of an iteration one write of a few hundred bytes.
 */
package org.mitosis.result;
