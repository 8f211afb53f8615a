# SPDX-License-Identifier: Apache-2.0
import unittest

import function


class MicroTest(unittest.TestCase):
    def test_reads_every_page(self):
        memory = function.setup("2")
        pages = (2 << 20) // function.PAGE
        self.assertEqual(sum(page * 7 % 251 for page in range(pages)), function.handler(memory))
        memory[(pages - 1) * function.PAGE] ^= 1
        self.assertNotEqual(sum(page * 7 % 251 for page in range(pages)), function.handler(memory))

    def test_size(self):
        self.assertEqual(16 << 20, len(function.setup("")))
        for size in ("0", "-1", "x", "65537"):
            self.assertRaises(ValueError, function.setup, size)


if __name__ == "__main__":
    unittest.main()
