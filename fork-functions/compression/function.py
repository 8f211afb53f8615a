# SPDX-License-Identifier: Apache-2.0
"""Packs a directory with one text of 150 kB into a ZIP archive: a backup or a download.

Directory and archive are in memory, so that a child needs no file of its parent's machine.
"""

import io
import random
import zipfile

DIRECTORY = "directory"
TEXT_BYTES = 150_000


def setup(variant):
    draw = random.Random(2)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(2000)]
    text = " ".join(draw.choice(words) for _ in range(TEXT_BYTES // 3))[:TEXT_BYTES]
    return {"text.txt": text.encode()}


def handler(files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            # With a date of its own, as the clock would make each archive another one.
            entry = zipfile.ZipInfo(DIRECTORY + "/" + name, (2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, content)
    return archive.getvalue()
