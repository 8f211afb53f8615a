# SPDX-License-Identifier: Apache-2.0
import unittest

import re

import function


class ChameleonTest(unittest.TestCase):
    def test_every_cell_is_in_the_page(self):
        page = function.handler(function.setup(""))
        self.assertEqual(function.ROWS, page.count("<tr>"))
        cells = [int(cell) for cell in re.findall(r'<span class="cell-\d+">(\d+)</span>', page)]
        self.assertEqual(list(range(function.ROWS * function.COLUMNS)), cells)


if __name__ == "__main__":
    unittest.main()
