// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks on several machines, from one that only coordinates.
 *
 * <p>{@link org.mitosis.cluster.ClusterCommand} reads the config and a target; {@code AgentLink}
 * starts an {@code Agent} on each machine over one channel of ssh or srun, after {@code Bootstrap}
 * has seen to it that benchmarks.jar is there; {@code ClusterRun} tells the agents what to do, and
 * {@code RunRecord} keeps what they send:
 *
 * <pre>{@code
 * coordinator                    machine
 * AgentLink   --- ssh, srun ---  Bootstrap's script, then Agent
 *   tasks, one line of JSON each  -->
 *   a beat each second            -->   no beat for the lease: everything ends
 *                                 <--   answers, samples
 * }</pre>
 *
 * <p>The loops that are measured are the helper programs' on the machines, which are told when to
 * start by their own clock. What an agent has started ends when its standard input does.
 */
package org.mitosis.cluster;
