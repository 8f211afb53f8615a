# SPDX-License-Identifier: Apache-2.0
import unittest

import function


class FfmpegTest(unittest.TestCase):
    def test_makes_an_animation(self):
        animation = function.handler(function.setup(""))
        self.assertEqual(b"GIF89a", animation[:6])
        self.assertEqual((320).to_bytes(2, "little") + (240).to_bytes(2, "little"), animation[6:10])
        self.assertEqual(animation, function.handler(function.setup("")))


if __name__ == "__main__":
    unittest.main()
