# SPDX-License-Identifier: Apache-2.0
"""CPython, unmodified, as parent and child: its objects, threads started after
resume, subprocesses and os.fork, through ctypes. usage: see tests/run-targets."""

import ctypes
import json
import os
import subprocess
import sys
import threading

PREPARE = "mitosis_prepare_pinned" if os.environ.get("MITOSIS_TEST_PINNED") else "mitosis_prepare"
HANDLER_ID = int(os.environ["MITOSIS_TEST_ID"])
BACKEND = 1 if os.environ.get("MITOSIS_TEST_BACKEND") == "kernel" else 2

library = ctypes.CDLL(os.path.join(os.environ["MITOSIS_TEST_BIN"], "libmitosis.so"))
library.mitosis_error.restype = ctypes.c_char_p


def check(result):
    if result:
        sys.exit(library.mitosis_error().decode())


def spoil(table):
    """Changes the parent's objects; the child must not see it."""
    for key in table:
        table[key] = None


def work(table, start, sums):
    sums[start] = sum(table[i]["square"] for i in range(start, len(table), 8))


def main():
    table = {i: {"square": i * i, "text": str(i) * 3} for i in range(50_000)}
    encoded = json.dumps(table)
    local = [1, (2, 3), {"four": 5.0}]
    generator = (i for i in range(10))
    next(generator)

    device = ctypes.c_void_p()
    check(library.mitosis_open(BACKEND, ctypes.byref(device)))
    check(getattr(library, PREPARE)(device, ctypes.c_uint32(HANDLER_ID)))
    # The device of a child is dead; its pid may be its parent's, on another machine.
    if library.mitosis_nil(device) == 0:
        spoil(table)
        del encoded
        print("ready", flush=True)
        sys.stdin.read()
        if PREPARE == "mitosis_prepare_pinned":
            check(library.mitosis_unprepare(device, ctypes.c_uint32(HANDLER_ID)))
        library.mitosis_close(device)
        return

    assert local == [1, (2, 3), {"four": 5.0}]
    assert list(generator) == list(range(1, 10))
    assert all(table[i]["text"] == str(i) * 3 for i in table)
    decoded = json.loads(encoded)
    assert all(decoded[str(i)]["square"] == i * i for i in range(50_000))

    sums = [0] * 8
    threads = [threading.Thread(target=work, args=(table, i, sums)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sums) == sum(i * i for i in range(50_000))

    assert subprocess.check_output(["/bin/echo", "spoken"]) == b"spoken\n"
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, table[49_999]["text"].encode())
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert os.read(reader, 100) == b"49999" * 3

    # A module that the parent never imported, and garbage collection over all.
    import decimal
    import gc

    assert decimal.Decimal("0.1") + decimal.Decimal("0.2") == decimal.Decimal("0.3")
    table.clear()
    gc.collect()


if __name__ == "__main__":
    main()
