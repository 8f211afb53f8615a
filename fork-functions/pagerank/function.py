# SPDX-License-Identifier: Apache-2.0
"""Ranks the nodes of a random graph of 100,000 nodes and about 1,000,000 edges: graph analysis."""

import random

import igraph

NODES, EDGES_PER_NODE = 100_000, 10


def setup(variant):
    return graph(NODES, EDGES_PER_NODE)


def graph(nodes, edges_per_node):
    random.seed(4)  # which igraph draws from
    return igraph.Graph.Barabasi(nodes, edges_per_node)


def handler(graph):
    return graph.pagerank()
