# SPDX-License-Identifier: Apache-2.0
import unittest

import io
import zipfile

import function


class CompressionTest(unittest.TestCase):
    def test_archive_holds_the_directory(self):
        files = function.setup("")
        packed = function.handler(files)
        self.assertEqual([function.TEXT_BYTES], [len(content) for content in files.values()])
        self.assertLess(len(packed), function.TEXT_BYTES / 2)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            self.assertIsNone(archive.testzip())
            unpacked = {name.split("/")[1]: archive.read(name) for name in archive.namelist()}
        self.assertEqual(files, unpacked)


if __name__ == "__main__":
    unittest.main()
