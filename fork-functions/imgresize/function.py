# SPDX-License-Identifier: Apache-2.0
"""Makes a thumbnail of a JPEG photo of 12 megapixels: what an upload of a picture starts."""

import io

import photo
from PIL import Image

WIDTH, HEIGHT = 4000, 3000
THUMBNAIL = (400, 300)


def setup(variant):
    return photo.jpeg(WIDTH, HEIGHT)


def handler(original):
    thumbnail = io.BytesIO()
    with Image.open(io.BytesIO(original)) as picture:
        picture.resize(THUMBNAIL, Image.LANCZOS).save(thumbnail, "JPEG", quality=90)
    return thumbnail.getvalue()
