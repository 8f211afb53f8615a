# SPDX-License-Identifier: Apache-2.0
"""Turns and mirrors a JPEG photo in six ways and encodes each: the pictures of a web page."""

import io

import photo
from PIL import Image

WIDTH, HEIGHT = 640, 400

TURNS = (
    Image.ROTATE_90,
    Image.ROTATE_180,
    Image.ROTATE_270,
    Image.FLIP_LEFT_RIGHT,
    Image.FLIP_TOP_BOTTOM,
    Image.TRANSPOSE,
)


def setup(variant):
    return photo.jpeg(WIDTH, HEIGHT)


def handler(original):
    pictures = []
    for turn in TURNS:
        turned = io.BytesIO()
        with Image.open(io.BytesIO(original)) as picture:
            picture.transpose(turn).save(turned, "JPEG", quality=90)
        pictures.append(turned.getvalue())
    return pictures
