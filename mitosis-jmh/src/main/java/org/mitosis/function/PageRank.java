// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.util.Arrays;
import java.util.Random;

/** Ranks the nodes of a graph of 20,000 nodes and 200,000 edges: twenty rounds over all edges. */
final class PageRank implements JavaFunction {
  private static final int NODES = 20_000;
  private static final int EDGES_OF_A_NODE = 10;
  private static final int ROUNDS = 20;
  private static final double DAMPING = 0.85;

  private final int[] targets = new int[NODES * EDGES_OF_A_NODE];

  PageRank() {
    Random draw = new Random(4);
    for (int i = 0; i < targets.length; i++) {
      // The square makes a few nodes much linked to.
      double one = draw.nextDouble();
      targets[i] = (int) (one * one * NODES);
    }
  }

  @Override
  public Object call() {
    double[] ranks = new double[NODES];
    Arrays.fill(ranks, 1.0 / NODES);
    for (int round = 0; round < ROUNDS; round++) {
      double[] next = new double[NODES];
      Arrays.fill(next, (1 - DAMPING) / NODES);
      for (int node = 0; node < NODES; node++) {
        double share = DAMPING * ranks[node] / EDGES_OF_A_NODE;
        for (int i = 0; i < EDGES_OF_A_NODE; i++) {
          next[targets[node * EDGES_OF_A_NODE + i]] += share;
        }
      }
      ranks = next;
    }
    return ranks;
  }
}
