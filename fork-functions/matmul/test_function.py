# SPDX-License-Identifier: Apache-2.0
import unittest

import numpy

import function


class MatmulTest(unittest.TestCase):
    def test_product(self):
        left, right = function.setup("30")
        product = numpy.frombuffer(function.handler((left, right))).reshape(30, 30)
        self.assertAlmostEqual(sum(left[3, k] * right[k, 7] for k in range(30)), product[3, 7])
        self.assertEqual((500, 500), function.setup("")[0].shape)


if __name__ == "__main__":
    unittest.main()
