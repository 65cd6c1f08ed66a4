#!/usr/bin/env python3
"""Sees that every command that README.md and docs/ show is run by a test, or says why not.

The opening line of a shell block (sh, bash, console) carries one of the two:

    ```sh test=DocsTest.test_first_minute
    ```sh not-run="needs a machine of its own"

A test is named as it is in docs/guarantees.md: `Suite.Test` in C++, `path/of/x.test.ts#title` (in
quotes, for its blanks) on the npm side; in Python `Class.test_method` of a file of tests/deploy, or
`path/of/x_test.py#test_method`. Commands in an indented block, which can carry neither, and fences
without a language are breaches too. Run from the repository's root, or give it as the argument.
Prints one line for each breach, with the way out, and exits 1 if there is any.
"""

import ast
import pathlib
import re
import subprocess
import sys

from fences import FENCE, blocks_in

CPP_TEST = re.compile(
    r"(?:TEST(?:_F|_P)?|RC_GTEST_PROP)\(\s*([A-Za-z0-9_]+)\s*,\s*([A-Za-z0-9_]+)", re.S)
REGISTERED = re.compile(r"seatlock_deploy_test\(\s*(\w+)")
REASON_LENGTH_MIN = 10
# What a command of ours begins with. Other indented lines are drawings, frames and settings.
COMMAND = re.compile(
    r"^ {4,}(?:\$ )?(?:[A-Z_]+=\S+ )*(?:sudo |\./dev |"
    r"(?:build/release/bin/)?seat(?:ctl|lockd|lock-edge) |apt(?:-get)? |dpkg |systemctl |curl |"
    r"npm |npx |node |docker |podman |kubectl |buf |nginx |redis-(?:cli|server) |haproxy |"
    r"promtool |cmake |python3 |cp |rm |alias |export )")
WAY_OUT = ('write `test=NAME` (a test that runs it) or `not-run="why not"` after the language: '
           "CONTRIBUTING.md, Commands in the docs")


def listed(root, *patterns):
    out = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "--", *patterns],
        check=True, capture_output=True, text=True).stdout
    return [path for path in sorted(set(out.splitlines())) if (root / path).is_file()]


def read(root, path):
    return (root / path).read_text(encoding="utf-8")


def cpp_tests(root):
    return {f"{suite}.{test}" for path in listed(root, "*_test.cc")
            for suite, test in CPP_TEST.findall(read(root, path))}


def deploy_tests(root):
    """Those of tests/deploy that its CMakeLists.txt names: nothing runs the others."""
    found = set()
    for path in listed(root, "tests/deploy/CMakeLists.txt"):
        for name in REGISTERED.findall(read(root, path)):
            file = root / f"tests/deploy/{name}_test.py"
            if not file.is_file():
                continue
            for item in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(item, ast.ClassDef):
                    found |= {f"{item.name}.{member.name}" for member in item.body
                              if isinstance(member, ast.FunctionDef)
                              and member.name.startswith("test")}
    return found


def is_in_file(root, name):
    path, _, title = name.partition("#")
    file = root / path
    if not title or not file.is_file():
        return False
    begin = r"def {}\(" if path.endswith(".py") else r"\(\s*'{}'"
    return re.search(begin.format(re.escape(title)), file.read_text(encoding="utf-8")) is not None


def check_block(block, exists):
    at = f"{block.page}:{block.line}"
    if not block.language:
        return [f"{at}: a fence without a language: write sh for commands, text for what is none"]
    if not block.is_shell:
        return []
    test, reason = block.words.get("test"), block.words.get("not-run")
    if (test is None) == (reason is None):
        return [f"{at}: commands with {'neither' if test is None else 'both'}: {WAY_OUT}"]
    if test is not None and not exists(test):
        return [f"{at}: there is no test {test}: name one that is there, and that a CMakeLists.txt "
                "registers"]
    if reason is not None and len(reason) < REASON_LENGTH_MIN:
        return [f"{at}: not-run without a reason that says anything: {WAY_OUT}"]
    return []


def check_indented(page, text):
    """One line for each indented block, however many commands it has."""
    fence_open, told, breaches = None, False, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and fence_open is None:
            fence_open = fence[2]
        elif fence and fence[2].startswith(fence_open) and not fence[3]:
            fence_open = None
        elif fence_open is None and COMMAND.match(line) and not told:
            breaches.append(f"{page}:{number}: commands in an indented block: put them into a "
                            f"fence, ```sh, and {WAY_OUT}")
            told = True
        told = told and line.strip() != ""
    return breaches


def check_tree(root):
    tests = cpp_tests(root) | deploy_tests(root)
    breaches, commands = [], 0
    for page in listed(root, "README.md", "docs/*.md"):
        text = read(root, page)
        breaches += check_indented(page, text)
        for block in blocks_in(page, text):
            commands += block.is_shell
            breaches += check_block(block, lambda name: name in tests or is_in_file(root, name))
    if commands == 0:
        breaches.append("README.md: no page shows a command: the check looks in the wrong place")
    return breaches


def main():
    breaches = check_tree(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    fine = "commands: each that the docs show is run by a test, or says why not"
    print("\n".join(breaches) if breaches else fine)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
