# SPDX-License-Identifier: Apache-2.0
"""A function of one of the folders beside this one: found, loaded, called, its result compared."""

import gc
import importlib.util
import os
import sys

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Read by the libraries when they are loaded: one CPU for a child, so that figures do not depend on their number.
SINGLE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class Unknown(ValueError):
    """There is no function of that name."""


class Unsteady(RuntimeError):
    """A function does not give the same result each time, so that none can be checked."""


def path_of(name):
    """The file of a function."""
    return os.path.join(FOLDER, name, "function.py")


def known():
    """The names of all functions."""
    return sorted(name for name in os.listdir(FOLDER) if os.path.exists(path_of(name)))


class Workload:
    """A function, warm: it has been called twice, and both results were the same."""

    def __init__(self, name, clock):
        """Loads "name" or "name:variant" and calls it. Raises Unknown, Unsteady, or what it raises."""
        folder, _, variant = name.partition(":")
        if folder not in known():
            raise Unknown(f"the function '{folder}' is not one of {', '.join(known())}")
        os.environ.update(SINGLE_THREAD)
        spec = importlib.util.spec_from_file_location("function", path_of(folder))
        module = importlib.util.module_from_spec(spec)
        sys.modules["function"] = module
        spec.loader.exec_module(module)
        self.name = name
        self._handler = module.handler
        self._state = module.setup(variant)
        self._clock = clock
        self.cold_ns, self.result = self._call()

    def warm(self):
        """Calls it once more; how long that took. Raises Unsteady."""
        ns, result = self._call()
        if result != self.result:
            raise Unsteady(f"the function {self.name} gives another result each time")
        return ns

    def settle(self):
        """Takes what there is now out of garbage collection, which would write to all of it."""
        gc.collect()
        gc.freeze()

    def call(self):
        """Calls it: the clock before and after, and whether the result is the right one."""
        before = self._clock()
        result = self._handler(self._state)
        after = self._clock()
        return before, after, result == self.result

    def _call(self):
        before = self._clock()
        result = self._handler(self._state)
        return self._clock() - before, result
