# SPDX-License-Identifier: Apache-2.0
"""Encrypts and decrypts 22,000 characters with AES in pure Python: plain computation of an interpreter."""

import random

import pyaes

KEY = bytes(range(16))
CHARACTERS = 22_000


def setup(variant):
    return "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyz ", k=CHARACTERS))


def handler(text):
    secret = pyaes.AESModeOfOperationCTR(KEY).encrypt(text)
    plain = pyaes.AESModeOfOperationCTR(KEY).decrypt(secret).decode()
    if plain != text:
        raise ArithmeticError("what was decrypted is not what was encrypted")
    return secret
