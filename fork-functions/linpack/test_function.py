# SPDX-License-Identifier: Apache-2.0
import unittest

import numpy

import function


class LinpackTest(unittest.TestCase):
    def test_solves_the_equations(self):
        matrix, right = function.setup("40")
        solution = function.handler((matrix, right))
        self.assertTrue(numpy.allclose(matrix @ numpy.array(solution), right))
        self.assertEqual((500, 500), function.setup("")[0].shape)


if __name__ == "__main__":
    unittest.main()
