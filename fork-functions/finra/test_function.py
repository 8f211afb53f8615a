# SPDX-License-Identifier: Apache-2.0
import unittest

import function


class FinraTest(unittest.TestCase):
    def test_rules_find_their_violations(self):
        market, trades = function.setup("")
        counts, average = function.handler((market, trades))
        for rule, expected in (
            ("quantity", (trades["quantity"] > function.LARGEST_QUANTITY)),
            ("price", (trades["factor"] - 1).abs() > function.TOLERANCE),
        ):
            self.assertEqual(expected.sum(), sum(counts[rule].values()), rule)
            self.assertGreater(expected.sum(), 0)
        self.assertEqual(function.SYMBOLS + 1, len(average.splitlines()))

    def test_a_portfolio_of_one_trade_is_concentrated(self):
        market, trades = function.setup("")
        counts, _ = function.handler((market, trades.head(1)))
        self.assertEqual({0: 1}, counts["concentration"])


if __name__ == "__main__":
    unittest.main()
