#!/usr/bin/env python3
"""Checks that each library links the libraries whose headers it includes. Usage: links.py [ROOT]

A static library that forgets one still builds. A program that links it fails, unless another of its
libraries brings what is missing. Fuzzers link few libraries, so they fail first. Therefore every
seatlock_library, seatlock_binary and seatlock_fuzzer of ROOT is read: for each of our own headers
that its sources include, the library that lists the header must be among its DEPS, or among theirs.
Prints one line for each that is missing and exits 1 if there is any.
"""

import pathlib
import re
import sys

from arrows import INCLUDE

TARGET = re.compile(r"^\s*seatlock_(library|binary|fuzzer)\(([\w-]+)\s([^()]*)\)", re.MULTILINE)
WORDS = ("SOURCES", "DEPS")


def words_after(text, word):
    """The arguments between `word` and the next of WORDS."""
    found, taking = [], False
    for token in re.sub(r"#.*", "", text).split():
        if token in WORDS:
            taking = token == word
        elif taking:
            found.append(token)
    return found


def read_targets(root):
    """Name -> (its sources as paths from ROOT, the names of ours that it links)."""
    targets = {}
    for file in sorted(root.rglob("CMakeLists.txt")):
        folder = file.parent.relative_to(root)
        if {"build", "node_modules"} & set(folder.parts):
            continue
        for _, name, rest in TARGET.findall(file.read_text(encoding="utf-8")):
            sources = [(folder / s).as_posix() for s in words_after(rest, "SOURCES")]
            deps = [d.removeprefix("seatlock::") for d in words_after(rest, "DEPS")
                    if d.startswith("seatlock::")]
            targets[name] = (sources, deps)
    return targets


def linked(targets, name, seen=None):
    """What `name` links, with what that links in turn."""
    seen = set() if seen is None else seen
    for dep in targets.get(name, ([], []))[1]:
        if dep not in seen:
            seen.add(dep)
            linked(targets, dep, seen)
    return seen


def check_tree(root):
    targets = read_targets(root)
    # A header without a source of its own needs nothing linked.
    owners = {}
    for name, (sources, _) in targets.items():
        for source in sources:
            if source.endswith(".h") and source[:-2] + ".cc" in sources:
                owners.setdefault(source, set()).add(name)
    lines = []
    for name, (sources, _) in sorted(targets.items()):
        has = linked(targets, name) | {name}
        for source in sources:
            file = root / source
            if not file.is_file():
                continue
            for include in INCLUDE.findall(file.read_text(encoding="utf-8")):
                owner = owners.get(include, set())
                if owner and not owner & has:
                    lines.append(f"{source}: includes {include}: add seatlock::{min(owner)} "
                                 f"to the DEPS of {name}")
    return lines


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    lines = check_tree(root)
    print("\n".join(lines) if lines else "links: every library links what it includes")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
