# SPDX-License-Identifier: Apache-2.0
"""Prints what functions.json on standard input asks for and this machine lacks, a JSON object.

Keys are the names of the functions, values the Python modules and programs that are missing. With
the name of a function, prints how to get what that one lacks, or nothing.
"""

import importlib.util
import json
import shutil
import sys

if sys.version_info < (3, 9):
    sys.exit("requirements.py: this is Python %d.%d: name 3.9 or newer" % sys.version_info[:2])


def missing(function):
    modules = [name for name in function["modules"] if importlib.util.find_spec(name) is None]
    return modules + [name for name in function.get("programs", []) if shutil.which(name) is None]


if __name__ == "__main__":
    functions = json.load(sys.stdin)
    if len(sys.argv) < 2:
        json.dump({name: missing(function) for name, function in functions.items()}, sys.stdout)
    elif missing(functions[sys.argv[1]]):
        print("apt-get install --no-install-recommends", *functions[sys.argv[1]]["packages"])
