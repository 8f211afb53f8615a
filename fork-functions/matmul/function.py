# SPDX-License-Identifier: Apache-2.0
"""Multiplies two matrices of 500 by 500 numbers: dense numerical work. Variants: rows and columns."""

import numpy


def setup(variant):
    size = int(variant or "500")
    draw = numpy.random.default_rng(7)
    return draw.random((size, size)), draw.random((size, size))


def handler(state):
    left, right = state
    return numpy.matmul(left, right).tobytes()
