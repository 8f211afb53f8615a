# SPDX-License-Identifier: Apache-2.0
"""Prints what functions.json on standard input asks for and this machine lacks, a JSON object.

Keys are the names of the functions, values the Python modules and programs that are missing.
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
    json.dump({name: missing(function) for name, function in json.load(sys.stdin).items()}, sys.stdout)
