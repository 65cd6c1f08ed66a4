#!/usr/bin/env python3
"""Sees that every test that docs/guarantees.md names exists.

C++ tests are named `Suite.Test`, those of the npm side `path/of/x.test.ts#title`, or by another
file that defines tests, Python's `path/of/x_test.py#test_name`. Run from the repository's root.
Prints what is missing; exit code 1 if anything is."""

import pathlib
import re
import subprocess
import sys

NAMED = re.compile(r"`([A-Z][A-Za-z0-9]*)\.([A-Z][A-Za-z0-9]*)`")
NAMED_IN_FILE = re.compile(r"`([^`#\s]+\.(?:tsx?|py))#([^`]+)`")
DEFINED = re.compile(
    r"(?:TEST(?:_F|_P)?|RC_GTEST_PROP)\(\s*([A-Za-z0-9]+)\s*,\s*([A-Za-z0-9]+)", re.S)


def defined_tests():
    files = subprocess.run(["git", "ls-files", "*_test.cc"], capture_output=True, text=True,
                           check=True).stdout.split()
    return {match for file in files for match in DEFINED.findall(pathlib.Path(file).read_text())}


def is_in_file(path, title):
    file = pathlib.Path(path)
    if not file.is_file():
        return False
    pattern = rf"def {title}\(" if path.endswith(".py") else rf"\(\s*'{re.escape(title)}'"
    return re.search(pattern, file.read_text()) is not None


def main():
    text = pathlib.Path("docs/guarantees.md").read_text()
    named = set(NAMED.findall(text))
    missing = [f"{suite}.{test}" for suite, test in sorted(named - defined_tests())]
    missing += [f"{path}#{title}" for path, title in NAMED_IN_FILE.findall(text)
                if not is_in_file(path, title)]
    for name in missing:
        print(f"docs/guarantees.md: there is no test {name}: name the one that is")
    if not named:
        print("docs/guarantees.md: names no test")
    return 1 if missing or not named else 0


if __name__ == "__main__":
    sys.exit(main())
