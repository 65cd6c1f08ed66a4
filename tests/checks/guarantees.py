#!/usr/bin/env python3
"""Sees that every test that docs/guarantees.md names exists.

Run from the repository's root. Prints what is missing; exit code 1 if anything is."""

import pathlib
import re
import subprocess
import sys

NAMED = re.compile(r"`([A-Z][A-Za-z0-9]*)\.([A-Z][A-Za-z0-9]*)`")
DEFINED = re.compile(
    r"(?:TEST(?:_F|_P)?|RC_GTEST_PROP)\(\s*([A-Za-z0-9]+)\s*,\s*([A-Za-z0-9]+)", re.S)


def defined_tests():
    files = subprocess.run(["git", "ls-files", "*_test.cc"], capture_output=True, text=True,
                           check=True).stdout.split()
    return {match for file in files for match in DEFINED.findall(pathlib.Path(file).read_text())}


def main():
    named = set(NAMED.findall(pathlib.Path("docs/guarantees.md").read_text()))
    missing = sorted(named - defined_tests())
    for suite, test in missing:
        print(f"docs/guarantees.md: there is no test {suite}.{test}: name the one that is")
    if not named:
        print("docs/guarantees.md: names no test")
    return 1 if missing or not named else 0


if __name__ == "__main__":
    sys.exit(main())
