# SPDX-License-Identifier: Apache-2.0
import unittest

import function


class PagerankTest(unittest.TestCase):
    def test_ranks_are_shares(self):
        ranks = function.handler((2000, 3))
        self.assertEqual(2000, len(ranks))
        self.assertAlmostEqual(1, sum(ranks), places=9)
        # Directed from the new node to the old: the oldest ones are linked to most.
        self.assertLess(ranks.index(max(ranks)), 20)

    def test_same_graph_each_time(self):
        self.assertEqual(function.handler((500, 3)), function.handler((500, 3)))
        self.assertEqual((100_000, 10), function.setup(""))


if __name__ == "__main__":
    unittest.main()
