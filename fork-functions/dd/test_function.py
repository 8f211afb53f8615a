# SPDX-License-Identifier: Apache-2.0
import unittest

import function


class DdTest(unittest.TestCase):
    def test_copies_all_of_it(self):
        self.assertEqual(3 << 20, function.handler(3))
        self.assertEqual(64, function.setup(""))


if __name__ == "__main__":
    unittest.main()
