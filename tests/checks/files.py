#!/usr/bin/env python3
"""Checks what no other tool looks at. Usage: files.py [ROOT]

- a file of ours has at most 600 lines of at most 100 columns
- every .cc stands in the CMakeLists.txt of its folder (file lists are explicit, so one that is
  missing would silently not be built, nor its tests run)
- there is a CHANGELOG.md with a part for what is not released
- no package-lock.json says from which registry its packages came: npm asks the one that is set up
Prints one line for each breach, with the way out, and exits 1 if there is any.
"""

import pathlib
import re
import subprocess
import sys

LINES_MAX = 600
COLUMNS_MAX = 100
SUFFIXES = {".h", ".cc", ".py", ".proto", ".ts", ".tsx", ".mts", ".js", ".mjs", ".css", ".sh",
            ".pl"}
NAMES = {"dev"}
RESOLVED = re.compile(r'"resolved":\s*"(?!file:)[a-z+]+:')


def tracked(root):
    """The files that git knows or would take, which still exist."""
    out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                         check=True, capture_output=True, text=True).stdout
    return [path for path in sorted(set(out.splitlines())) if (root / path).is_file()]


def is_ours(path):
    name = pathlib.PurePosixPath(path)
    return not path.startswith("third_party/") and (name.suffix in SUFFIXES or name.name in NAMES)


def check_length(path, text):
    breaches = []
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        breaches.append(f"{path}: {len(lines)} lines, at most {LINES_MAX}: split it by topic")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            breaches.append(f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}: "
                            "break it (C++, TypeScript: ./dev fix)")
    return breaches


def check_listed(path, root):
    """The nearest CMakeLists.txt above must name the file."""
    folder = (root / path).parent
    while folder != root and not (folder / "CMakeLists.txt").is_file():
        folder = folder.parent
    listing = folder / "CMakeLists.txt"
    name = (root / path).relative_to(folder).as_posix()
    words = re.split(r"[\s()\"]+", listing.read_text(encoding="utf-8")) if listing.is_file() else []
    if name in words:
        return []
    return [f"{path}: in no CMakeLists.txt: add it to {listing.relative_to(root)}"]


def check_changelog(root):
    file = root / "CHANGELOG.md"
    if file.is_file() and "## [Unreleased]" in file.read_text(encoding="utf-8"):
        return []
    return ["CHANGELOG.md: missing, or without '## [Unreleased]': add it (keepachangelog.com)"]


def check_lock(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if RESOLVED.search(line):
            return [f"{path}:{number}: names a registry: delete the \"resolved\" lines, and set "
                    "omit-lockfile-registry-resolved=true in the .npmrc beside it"]
    return []


def check_tree(root, paths):
    breaches = check_changelog(root)
    for path in paths:
        if is_ours(path):
            breaches += check_length(path, (root / path).read_text(encoding="utf-8"))
        if pathlib.PurePosixPath(path).name == "package-lock.json":
            breaches += check_lock(path, (root / path).read_text(encoding="utf-8"))
        if path.endswith(".cc") and not path.startswith("third_party/"):
            breaches += check_listed(path, root)
    return breaches


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    breaches = check_tree(root, tracked(root))
    fine = "files: lengths, lists, locks and changelog are in order"
    print("\n".join(breaches) if breaches else fine)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
