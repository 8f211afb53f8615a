# SPDX-License-Identifier: Apache-2.0
"""Copies 64 MiB from one file to another with dd(1): a program that a function starts."""

import os
import subprocess
import tempfile

BLOCK, COUNT = 1 << 20, 64


def setup(variant):
    return COUNT


def handler(count):
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(
            ["dd", "if=/dev/zero", "of=" + copy.name, f"bs={BLOCK}", f"count={count}", "status=none"],
            check=True,
        )
        return os.stat(copy.name).st_size
