# SPDX-License-Identifier: Apache-2.0
"""Draws a second of video and turns it into an animation with ffmpeg(1): work on media."""

import subprocess

SECONDS, SIZE, RATE = 1, "320x240", 10


def setup(variant):
    return f"testsrc=duration={SECONDS}:size={SIZE}:rate={RATE}"


def handler(source):
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-f", "lavfi", "-i", source]
    return subprocess.run(command + ["-f", "gif", "-"], check=True, stdout=subprocess.PIPE).stdout
