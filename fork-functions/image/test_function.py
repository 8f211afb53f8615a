# SPDX-License-Identifier: Apache-2.0
import unittest

import io

from PIL import Image

import function


class ImageTest(unittest.TestCase):
    def test_six_turned_pictures(self):
        original = Image.open(io.BytesIO(function.setup("")))
        self.assertEqual((function.WIDTH, function.HEIGHT), original.size)
        turned = [Image.open(io.BytesIO(picture)) for picture in function.handler(function.setup(""))]
        lying, standing = original.size, original.size[::-1]
        self.assertEqual([standing, lying, standing, lying, lying, standing], [picture.size for picture in turned])
        corner = original.getpixel((0, 0))
        right, bottom = function.WIDTH - 1, function.HEIGHT - 1
        # Where the upper left corner is after each turn.
        corners = [(0, right), (right, bottom), (bottom, 0), (right, 0), (0, bottom), (0, 0)]
        for picture, at in zip(turned, corners):
            for before, after in zip(corner, picture.getpixel(at)):
                self.assertAlmostEqual(before, after, delta=12)


if __name__ == "__main__":
    unittest.main()
