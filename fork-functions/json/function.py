# SPDX-License-Identifier: Apache-2.0
"""Parses a JSON document of 150 kB and writes it again, indented: a service that passes messages on."""

import json
import random

RECORDS = 850


def setup(variant):
    draw = random.Random(1)
    records = [
        {
            "id": number,
            "name": "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=24)),
            "values": [round(draw.uniform(-1000, 1000), 3) for _ in range(8)],
            "tags": draw.sample(["new", "old", "paid", "sent", "lost", "found"], 3),
        }
        for number in range(RECORDS)
    ]
    return json.dumps(records)


def handler(document):
    return json.dumps(json.loads(document), indent=4)
