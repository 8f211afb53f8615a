# SPDX-License-Identifier: Apache-2.0
import unittest

import pyaes

import function


class PyaesTest(unittest.TestCase):
    def test_cipher_is_that_of_the_standard(self):
        # NIST SP 800-38A, F.5.1: CTR-AES128, first block.
        key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
        counter = pyaes.Counter(int("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", 16))
        secret = pyaes.AESModeOfOperationCTR(key, counter).encrypt(bytes.fromhex("6bc1bee22e409f96e93d7e117393172a"))
        self.assertEqual("874d6191b620e3261bef6864990db6ce", secret.hex())

    def test_secret_can_be_read_with_the_key_only(self):
        text = function.setup("")
        secret = function.handler(text)
        self.assertEqual(function.CHARACTERS, len(secret))
        self.assertEqual(text.encode(), pyaes.AESModeOfOperationCTR(function.KEY).decrypt(secret))
        self.assertNotEqual(text.encode(), pyaes.AESModeOfOperationCTR(bytes(16)).decrypt(secret))


if __name__ == "__main__":
    unittest.main()
