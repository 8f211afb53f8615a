# SPDX-License-Identifier: Apache-2.0
"""Finds a word in a sentence: the least that a function can do."""

SENTENCE = "remote fork makes a new process out of one that runs elsewhere: hello, world"


def setup(variant):
    return SENTENCE


def handler(sentence):
    return sentence.find("hello, world")
