# SPDX-License-Identifier: Apache-2.0
import unittest

import json

import function


class JsonTest(unittest.TestCase):
    def test_same_content_indented(self):
        document = function.setup("")
        self.assertTrue(140_000 < len(document) < 160_000, len(document))
        written = function.handler(document)
        self.assertEqual(json.loads(document), json.loads(written))
        self.assertIn("\n        \"id\": 1,\n", written)

    def test_same_document_each_time(self):
        self.assertEqual(function.setup(""), function.setup(""))


if __name__ == "__main__":
    unittest.main()
