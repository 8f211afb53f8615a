# SPDX-License-Identifier: Apache-2.0
import unittest

import function


class PagerankTest(unittest.TestCase):
    def test_ranks_are_shares(self):
        ranks = function.handler(function.graph(2000, 3))
        self.assertEqual(2000, len(ranks))
        self.assertAlmostEqual(1, sum(ranks), places=9)
        # Directed from the new node to the old: the oldest ones are linked to most.
        self.assertLess(ranks.index(max(ranks)), 20)

    def test_same_graph_each_time(self):
        self.assertEqual(function.handler(function.graph(500, 3)), function.handler(function.graph(500, 3)))

    def test_size(self):
        self.assertEqual(100_000, function.setup("").vcount())


if __name__ == "__main__":
    unittest.main()
