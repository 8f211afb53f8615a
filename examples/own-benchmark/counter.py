# SPDX-License-Identifier: Apache-2.0
"""A parent program that is not part of Mitosis: it counts, and its children say how far it had come."""

import argparse
import ctypes
import errno
import os
import struct
import sys
import time

REPORT_FD = 100
BACKENDS = ("auto", "kernel", "user")

parser = argparse.ArgumentParser()
parser.add_argument("--child", default="exit")
parser.add_argument("--backend", choices=BACKENDS, default="auto")
parser.add_argument("--handler-id", type=int, default=73)
parser.add_argument("--driven", action="store_true")
options = parser.parse_args()

library = ctypes.PyDLL(os.environ["MITOSIS_LIBRARY"])
library.mitosis_error.restype = ctypes.c_char_p
device = ctypes.c_void_p()
if library.mitosis_open(BACKENDS.index(options.backend), ctypes.byref(device)) < 0:
    sys.exit(library.mitosis_error().decode())
count = 0


def work():
    global count
    before = time.monotonic_ns()
    count += 1
    return time.monotonic_ns() - before


def prepare(call):
    before = time.monotonic_ns()
    result = call(device, ctypes.c_uint32(options.handler_id))
    after = time.monotonic_ns()
    if library.mitosis_nil(device) == -errno.EBADF:  # a child: the parent's device is dead in it
        seen = count
        wrong = 0 if seen > 0 else 1
        os.write(REPORT_FD, struct.pack("<4Q", after, time.monotonic_ns() - after, time.monotonic_ns(), wrong))
        os._exit(wrong)
    if result < 0:
        raise OSError(-result, library.mitosis_error().decode())
    return after - before


work()
print(f"ok ready=1 pid={os.getpid()} backend={BACKENDS[library.mitosis_backend(device)]} cold_ns=1 warm_ns=1", flush=True)
for line in sys.stdin:
    verb = line.split()[0]
    try:
        if verb == "touch":
            ns = work()
        elif verb == "prepare":
            ns = prepare(library.mitosis_prepare)
        elif verb == "prepare-pinned":
            ns = prepare(library.mitosis_prepare_pinned)
        elif verb == "unprepare":
            before = time.monotonic_ns()
            library.mitosis_unprepare(device, ctypes.c_uint32(options.handler_id))
            ns = time.monotonic_ns() - before
        elif verb == "quit":
            print("ok", flush=True)
            break
        else:
            raise OSError(errno.EINVAL, f"{verb} is unknown")
        print(f"ok ns={ns}", flush=True)
    except OSError as e:
        print(f"error errno={e.errno} message={e.strerror}", flush=True)
