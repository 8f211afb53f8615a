# SPDX-License-Identifier: Apache-2.0
"""Gives a child random number generators of its own.

A child has its parent's memory, so its generators would draw what its siblings' draw; with a
pid of 1 each, not even those that look at their pid know better. Out of reach are generators
that a function has made for itself (random.Random, numpy.random.Generator), and the hash seed
of strings, which cannot change while a dictionary lives.
"""

import os
import sys

SEED_BYTES = 32


def seed():
    """A fresh one, from the kernel. Each generator gets another: from some of them it can be computed back."""
    return os.urandom(SEED_BYTES)


def reseed():
    """Reseeds the generators of modules that are loaded; others seed themselves when they are."""
    modules = sys.modules
    if "random" in modules:
        modules["random"].seed(int.from_bytes(seed(), "little"))
    if "_ssl" in modules:
        modules["_ssl"].RAND_add(seed(), float(SEED_BYTES))
    if "tempfile" in modules:
        modules["tempfile"]._name_sequence = None  # the next name makes a new one
    if "numpy.random" in modules:
        numbers = seed()
        modules["numpy.random"].seed(
            [int.from_bytes(numbers[i : i + 4], "little") for i in range(0, SEED_BYTES, 4)]
        )
