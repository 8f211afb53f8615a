# SPDX-License-Identifier: Apache-2.0
"""Tells what a photo shows with a residual network of random weights: machine learning in service.

Variants: resnet50 (default), resnet18 for small machines. The weights are drawn once, kept in the
cache directory, and loaded from there, as those of a trained network would be.
"""

import io
import os
import tempfile

import photo
import torch
import torchvision
from PIL import Image

SEED = 5
MODELS = ("resnet50", "resnet18")
WIDTH, HEIGHT = 640, 400


def setup(variant):
    name = variant or MODELS[0]
    if name not in MODELS:
        raise ValueError(f"the model {name} is not one of {', '.join(MODELS)}")
    torch.set_num_threads(1)
    build = getattr(torchvision.models, name)
    model = build()
    model.load_state_dict(torch.load(weights(build, name)))
    model.eval()
    return model, photo.jpeg(WIDTH, HEIGHT)


def weights(build, name):
    """The file with the weights, made if it is not there."""
    directory = os.environ["MITOSIS_FUNCTION_CACHE"]
    path = os.path.join(directory, f"{name}-torch-{torch.__version__}.pt")
    if not os.path.exists(path):
        torch.manual_seed(SEED)
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as fresh:
            try:
                torch.save(build().state_dict(), fresh)
                os.rename(fresh.name, path)
            except BaseException:
                os.unlink(fresh.name)
                raise
    return path


def handler(state):
    model, encoded = state
    with Image.open(io.BytesIO(encoded)) as picture:
        seen = picture.convert("RGB").resize((224, 224))
        pixels = torch.frombuffer(bytearray(seen.tobytes()), dtype=torch.uint8)
    tensor = pixels.reshape(1, 224, 224, 3).permute(0, 3, 1, 2).float().div(255).sub(0.45).div(0.225)
    with torch.no_grad():
        return torch.nn.functional.softmax(model(tensor)[0], dim=0).tolist()
