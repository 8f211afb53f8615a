# SPDX-License-Identifier: Apache-2.0
"""Reads every page of an anonymous mapping: nothing but memory. Variants: its size in MiB (16)."""

import mmap

PAGE = mmap.PAGESIZE


def setup(variant):
    mebibytes = int(variant or "16")
    if not 1 <= mebibytes <= 1 << 16:
        raise ValueError(f"{mebibytes} MiB are not from 1 to 65536")
    memory = mmap.mmap(-1, mebibytes << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(len(memory) // PAGE):
        memory[page * PAGE] = page * 7 % 251
    return memory


def handler(memory):
    return sum(memory[::PAGE])
