# SPDX-License-Identifier: Apache-2.0
import unittest

import function


class HelloWorldTest(unittest.TestCase):
    def test_finds_the_word(self):
        sentence = function.setup("")
        at = function.handler(sentence)
        self.assertEqual("hello, world", sentence[at : at + 12])
        self.assertEqual(-1, function.handler("nobody greets"))


if __name__ == "__main__":
    unittest.main()
