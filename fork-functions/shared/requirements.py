# SPDX-License-Identifier: Apache-2.0
"""Prints what functions.json on standard input asks for and this machine lacks, a JSON object.

Keys are the names of the functions, values the Python modules, programs and libraries that are missing. With
the name of a function, prints how to get what that one lacks, or nothing.
"""

import ctypes
import importlib.util
import json
import shutil
import sys

if sys.version_info < (3, 9):
    sys.exit("requirements.py: this is Python %d.%d: name 3.9 or newer" % sys.version_info[:2])


def loads(library):
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing(function):
    modules = [name for name in function["modules"] if importlib.util.find_spec(name) is None]
    programs = [name for name in function.get("programs", []) if shutil.which(name) is None]
    # OpenBLAS is one: with the BLAS that numpy and torch bring along, they take ten times as long.
    return modules + programs + [name for name in function.get("libraries", []) if not loads(name)]


if __name__ == "__main__":
    functions = json.load(sys.stdin)
    if len(sys.argv) < 2:
        json.dump({name: missing(function) for name, function in functions.items()}, sys.stdout)
    elif missing(functions[sys.argv[1]]):
        print("apt-get install --no-install-recommends", *functions[sys.argv[1]]["packages"])
