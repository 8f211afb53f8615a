// SPDX-License-Identifier: Apache-2.0
/**
 * The files of a run, and reading them.
 *
 * <p>The path of a figure that a benchmark, or a process that it drives, measures by its own clock:
 *
 * <pre>
 * forked JVM:  benchmark -> SelfTimed -> SelfTimedProfiler -> secondary metric -> JMH's JSON
 *                                                   '-> HistogramLog (.hlog)
 * afterwards:  HistogramLog + Environment + ReferenceFigures -> ArtifactTable
 * </pre>
 *
 * <p>JMH's JSON is unchanged; the other files are beside it in the {@link
 * org.mitosis.result.ResultFolder}. Recording a sample costs some tens of ns, keeping the samples
 * of an iteration one write of a few hundred bytes.
 */
package org.mitosis.result;
