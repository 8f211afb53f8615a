# SPDX-License-Identifier: Apache-2.0
import unittest

import io

from PIL import Image

import function


class ImgresizeTest(unittest.TestCase):
    def test_small_picture_of_the_same_colours(self):
        photo = function.setup("")
        original, thumbnail = (Image.open(io.BytesIO(file)) for file in (photo, function.handler(photo)))
        self.assertEqual((4000, 3000), original.size)
        self.assertEqual((400, 300), thumbnail.size)
        for x, y in ((20, 20), (200, 150), (380, 280)):
            for before, after in zip(original.getpixel((x * 10, y * 10)), thumbnail.getpixel((x, y))):
                self.assertAlmostEqual(before, after, delta=12)


if __name__ == "__main__":
    unittest.main()
