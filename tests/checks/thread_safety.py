#!/usr/bin/env python3
"""Checks lock annotations with clang's thread-safety analysis. Usage: thread_safety.py BUILD [ROOT]

BUILD is a folder configured with the thread-safety preset, whose generated headers are built. Only
files that hold locks (they or the headers of ours that they include say ABSL_GUARDED_BY or include
common/base/mutex.h) are read by clang, and no code is made. Exits 1 if there is any finding: take
the lock that the message names, or annotate the function (ABSL_EXCLUSIVE_LOCKS_REQUIRED).
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

MARK = re.compile(r"ABSL_GUARDED_BY|common/base/mutex\.h")
OWN = re.compile(r'^#include "((?:common|services|edge|clients)/[^"]+)"', re.MULTILINE)


def holds_locks(root, file):
    text = file.read_text(encoding="utf-8")
    headers = [root / include for include in OWN.findall(text)]
    texts = [text] + [h.read_text(encoding="utf-8") for h in headers if h.is_file()]
    return any(MARK.search(t) for t in texts)


def command_of(entry):
    """The compiler's command without its output, the dependency file and ccache."""
    words = shlex.split(entry["command"])
    start = next(i for i, word in enumerate(words) if word.endswith("clang++"))
    kept, skip = [], False
    for word in words[start:]:
        if skip or word in ("-MD", "-c"):
            skip = False
        elif word in ("-o", "-MT", "-MF"):
            skip = True
        else:
            kept.append(word)
    return kept + ["-fsyntax-only", "-Wthread-safety", "-Werror=thread-safety"]


def check(entry):
    return subprocess.run(command_of(entry), cwd=entry["directory"], capture_output=True, text=True,
                          check=False)


def main():
    build = pathlib.Path(sys.argv[1])
    root = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".").resolve()
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    generated = str((build / "gen").resolve())
    files = [(entry, pathlib.Path(entry["file"]).resolve()) for entry in entries]
    entries = [entry for entry, file in files
               if not str(file).startswith(generated) and holds_locks(root, file)]
    if not entries:
        print("thread safety: found no file that holds a lock; is BUILD configured?")
        return 1
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for result in pool.map(check, entries):
            if result.returncode != 0:
                failed += 1
                print(result.stderr)
    print(f"thread safety: {len(entries) - failed} of {len(entries)} files with locks are clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
