# SPDX-License-Identifier: Apache-2.0
"""CPython with threads: a pool, a queue, a condition, a timer and thread-local values that were
there before prepare go on in children. usage: see tests/run-targets."""

import concurrent.futures
import ctypes
import os
import queue
import sys
import threading
import time

PREPARE = "mitosis_prepare_pinned" if os.environ.get("MITOSIS_TEST_PINNED") else "mitosis_prepare"
HANDLER_ID = int(os.environ["MITOSIS_TEST_ID"])
BACKEND = 1 if os.environ.get("MITOSIS_TEST_BACKEND") == "kernel" else 2
WORKERS = 6

library = ctypes.CDLL(os.path.join(os.environ["MITOSIS_TEST_BIN"], "libmitosis.so"))
library.mitosis_error.restype = ctypes.c_char_p

tasks = queue.Queue()
results = queue.Queue()
own = threading.local()
condition = threading.Condition()
released = False
ticks = 0


def check(result):
    if result:
        sys.exit(library.mitosis_error().decode())


def worker(number):
    own.number = number
    own.native = threading.get_native_id()
    while True:
        task = tasks.get()
        if task is None:
            return
        assert own.number == number
        assert own.native == threading.get_native_id()
        results.put((number, sum(i * i for i in range(task))))


def wait_for_release():
    with condition:
        while not released:
            condition.wait()
    results.put(("released", threading.current_thread().name))


def tick():
    global ticks
    while True:
        time.sleep(0.002)
        ticks += 1


def prepare():
    """True in a child."""
    device = ctypes.c_void_p()
    check(library.mitosis_open(BACKEND, ctypes.byref(device)))
    check(getattr(library, PREPARE)(device, ctypes.c_uint32(HANDLER_ID)))
    if library.mitosis_nil(device) != 0:
        return True
    print("ready", flush=True)
    sys.stdin.read()
    if PREPARE == "mitosis_prepare_pinned":
        check(library.mitosis_unprepare(device, ctypes.c_uint32(HANDLER_ID)))
    library.mitosis_close(device)
    return False


def main():
    global released
    pool = concurrent.futures.ThreadPoolExecutor(3)
    workers = [threading.Thread(target=worker, args=(i,)) for i in range(WORKERS)]
    waiter = threading.Thread(target=wait_for_release, name="waiter")
    for thread in workers + [waiter]:
        thread.start()
    threading.Thread(target=tick, daemon=True).start()
    assert pool.submit(pow, 3, 4).result() == 81
    identity = (os.getpid(), threading.get_native_id())
    tasks.put(1000)
    assert results.get(timeout=30)[1] == sum(i * i for i in range(1000))

    if prepare():
        assert identity == (os.getpid(), threading.get_native_id())
        before = ticks
        for i in range(60):
            tasks.put(100 + i)
        answers = [results.get(timeout=30)[1] for _ in range(60)]
        assert sorted(answers) == [sum(k * k for k in range(100 + i)) for i in range(60)]
        assert list(pool.map(pow, range(20), [2] * 20)) == [i * i for i in range(20)]
        with condition:
            released = True
            condition.notify_all()
        assert results.get(timeout=30) == ("released", "waiter")
        deadline = time.monotonic() + 30
        while ticks < before + 5:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    else:
        with condition:
            released = True
            condition.notify_all()
    for _ in workers:
        tasks.put(None)
    for thread in workers + [waiter]:
        thread.join(30)
        assert not thread.is_alive()
    pool.shutdown()


main()
