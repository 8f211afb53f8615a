// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks on several machines, from one that only coordinates.
 *
 * <p>{@link org.mitosis.cluster.ClusterCommand} reads the config and a target; {@code AgentLink}
 * starts an {@code Agent} on each machine over one channel of ssh or srun, after {@code Bootstrap}
 * has copied benchmarks.jar if it is missing; {@code ClusterRun} sends the agents their tasks, and
 * {@code RunRecord} keeps what they send:
 *
 * <pre>{@code
 * coordinator                    machine
 * AgentLink   --- ssh, srun ---  Bootstrap's script, then Agent
 *   tasks, one line of JSON each  -->
 *   a beat each second            -->   no beat during the lease: everything ends
 *                                 <--   answers, samples
 * }</pre>
 *
 * <p>The loops that are measured are the helper programs' on the machines, which get their start as
 * a time of their own clock. What an agent has started ends when its standard input does.
 */
package org.mitosis.cluster;
