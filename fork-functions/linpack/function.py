# SPDX-License-Identifier: Apache-2.0
"""Solves 500 linear equations with LAPACK: dense numerical work. Variants: how many equations."""

import numpy


def setup(variant):
    size = int(variant or "500")
    draw = numpy.random.default_rng(6)
    return draw.random((size, size)) - 0.5, draw.random(size) - 0.5


def handler(state):
    matrix, right = state
    return numpy.linalg.solve(matrix, right).tolist()
