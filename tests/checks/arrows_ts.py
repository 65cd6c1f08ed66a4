#!/usr/bin/env python3
"""Checks who imports what in clients/ against ARCHITECTURE.md's arrows. Usage: arrows_ts.py [ROOT]

Reads the imports of every TypeScript and JavaScript file under ROOT/clients. A module may import
its own files, those of the modules in ARROWS, and the packages in PACKAGES. Tests (x.test.ts, a
folder test/), helpers that import vitest or Testing Library, configurations and benchmarks may
import anything.
Prints one line for each breach (file, import, the way out) and exits 1 if there is any.
"""

import pathlib
import posixpath
import re
import sys

# Module -> the modules that it may import by path, besides itself.
ARROWS = {
    "clients/typescript/src/browser": [],
    "clients/typescript/src/testing": ["clients/typescript/src/browser"],
    "clients/typescript/src/node": [],
    "clients/react/src": [],
    "clients/demo": [],
}

# Module -> a pattern of the packages that it may import, and why no others.
PACKAGES = {
    "clients/typescript/src/browser": (r"(?!)", "a page gets the core without any dependency"),
    "clients/typescript/src/testing": (r"(?!)", "users' tests get the fake without dependencies"),
    "clients/typescript/src/node": (r"node:|@grpc/grpc-js$|@bufbuild/protobuf/wire$",
                                    "API servers install grpc-js and nothing else"),
    "clients/react/src": (r"react(-dom)?$|react/jsx-runtime$|@seatlock/client$",
                          "what bundlers of pages take: React and the browser core"),
    # By name alone, as everybody who copies it would.
    "clients/demo": (r"", ""),
}

SUFFIXES = (".ts", ".tsx", ".mts", ".js", ".mjs", ".cjs")
SKIPPED = {"node_modules", "dist", "gen", ".next", "bench"}
IMPORT = re.compile(
    r"""^\s*(?:import|export)\b[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]  # import … from 'x'
      | ^\s*import\s*['"]([^'"]+)['"]                              # import 'x'
      | ^(?!\s*[/*]).*?\b(?:import|require)\(\s*['"]([^'"]+)['"]   # import('x'), require('x')
    """, re.MULTILINE | re.VERBOSE)


def imports_of(text):
    return [next(name for name in match if name) for match in IMPORT.findall(text)]


def is_free(path, imports):
    name = posixpath.basename(path)
    helper = any(i == "vitest" or i.startswith("@testing-library/") for i in imports)
    return helper or ".test." in name or ".config." in name or "/test/" in path


def module_of(path):
    return next((name for name in ARROWS if path.startswith(name + "/")), None)


def check_import(path, module, name):
    """The way out of a breach, None where the import is fine."""
    if module == "clients/demo" and name.startswith("@/"):  # its tsconfig's name for itself
        return None
    if not name.startswith("."):
        pattern, reason = PACKAGES[module]
        return None if re.match(pattern, name) else f"{module} may not: {reason}"
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    allowed = [module] + ARROWS[module]
    if any(target == place or target.startswith(place + "/") for place in allowed):
        return None
    return f"{module} may import by path from {', '.join(allowed)}; a package by its name"


def check_file(path, text):
    """The breaches of one file, as (import, way out)."""
    imports = imports_of(text)
    if is_free(path, imports):
        return []
    module = module_of(path)
    if module is None:
        return [("(the file itself)", "its folder has no arrows: add it to "
                 "tests/checks/arrows_ts.py and ARCHITECTURE.md")]
    ways = [(name, check_import(path, module, name)) for name in imports]
    return [(name, way_out) for name, way_out in ways if way_out]


def check_tree(root):
    lines = []
    for file in sorted((root / "clients").rglob("*")):
        path = file.relative_to(root).as_posix()
        if file.suffix not in SUFFIXES or SKIPPED & set(path.split("/")) or not file.is_file():
            continue
        for name, way_out in check_file(path, file.read_text(encoding="utf-8")):
            lines.append(f"{path}: imports {name}: {way_out}")
    return lines


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    lines = check_tree(root)
    fine = "arrows of TypeScript: every import is as ARCHITECTURE.md draws it"
    print("\n".join(lines) if lines else fine)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
