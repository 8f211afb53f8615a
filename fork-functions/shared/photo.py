# SPDX-License-Identifier: Apache-2.0
"""A photo that is drawn, for functions that work on one."""

import io

from PIL import Image


def jpeg(width, height):
    """A JPEG file of that many pixels, as bytes."""
    horizontal = Image.linear_gradient("L").rotate(90).resize((width, height))
    vertical = Image.linear_gradient("L").resize((width, height))
    radial = Image.radial_gradient("L").resize((width, height))
    photo = io.BytesIO()
    Image.merge("RGB", (horizontal, vertical, radial)).save(photo, "JPEG", quality=90)
    return photo.getvalue()
