#!/usr/bin/env python3
"""Checks who includes what against ARCHITECTURE.md's arrows. Usage: arrows.py [ROOT]

Reads the #include lines of every C++ file under ROOT. Each folder is a module that may include its
own headers and those of the modules in ARROWS; headers of libraries that are heavy, or that belong
behind a port, may be included only where LIBRARIES says. Tests (x_test.cc, tests/) and their
helpers (files that include gtest or gmock) may include anything; nothing else may include tests/.
Prints one line for each breach (file, include, the way out) and exits 1 if there is any.
"""

import pathlib
import re
import sys

# Module -> the modules that it may include, besides itself. The longest match counts: a module is a
# folder, or one header.
BASE = ["common/base"]
# What every part of the edge may include: headers that stand above its folders.
EDGE_TOP = ["edge/limits.h", "edge/stats.h", "edge/timers.h"]
ARROWS = {
    "common/base": [],
    "common/runtime": BASE,
    "common/tls": BASE,
    "common/jwt": BASE,
    "services/seatlock/domain": BASE,
    "services/seatlock/log": BASE + ["services/seatlock/domain"],
    "services/seatlock/log/codec": BASE + ["services/seatlock/domain", "services/seatlock/log"],
    "services/seatlock/log/memory": BASE + ["services/seatlock/domain", "services/seatlock/log"],
    "services/seatlock/log/sqlite": BASE + ["services/seatlock/domain", "services/seatlock/log"],
    "services/seatlock/log/redis": BASE + ["services/seatlock/domain", "services/seatlock/log"],
    "services/seatlock/log/postgres": BASE + ["services/seatlock/domain", "services/seatlock/log"],
    # The port and the record codec, but no store.
    "services/seatlock/engine": BASE + ["services/seatlock/domain", "services/seatlock/log",
                                        "services/seatlock/log/codec"],
    "services/seatlock/rpc": BASE + ["common/tls", "services/seatlock/domain",
                                     "services/seatlock/engine"],
    "services/seatlock/store": BASE + ["common/runtime", "services/seatlock/domain",
                                       "services/seatlock/log", "services/seatlock/log/codec",
                                       "services/seatlock/log/sqlite",
                                       "services/seatlock/log/redis"],
    "services/seatlock": ["common", "services/seatlock/domain", "services/seatlock/log",
                          "services/seatlock/log/codec", "services/seatlock/log/memory",
                          "services/seatlock/log/sqlite", "services/seatlock/log/redis",
                          "services/seatlock/log/postgres", "services/seatlock/engine",
                          "services/seatlock/rpc", "services/seatlock/store"],
    "edge/limits.h": BASE,
    "edge/timers.h": BASE,
    "edge/stats.h": BASE + ["edge/protocol"],
    "edge/protocol": BASE + ["edge/limits.h"],
    "edge/showtime": BASE + EDGE_TOP + ["edge/protocol"],
    "edge/fanout": BASE + EDGE_TOP + ["edge/showtime", "edge/protocol"],
    "edge/upstream": BASE + EDGE_TOP + ["edge/showtime", "edge/protocol"],
    "edge/ws": BASE + EDGE_TOP + ["edge/fanout", "edge/protocol"],
    "edge": ["common", "edge/protocol", "edge/showtime", "edge/fanout", "edge/upstream", "edge/ws"]
            + EDGE_TOP,
    # What is installed for users stands alone.
    "clients/cpp/include": [],
    "clients/cpp": BASE + ["common/tls", "clients/cpp/include"],
    "clients/cli": BASE + ["common/runtime", "common/tls", "clients/cpp", "clients/cpp/include",
                           "clients/cli/family.h", "clients/cli/time_flag.h",
                           "clients/cli/bench", "clients/cli/operate"],
    # What a family of commands knows of the others: how it is registered, how a time is read.
    "clients/cli/family.h": ["clients/cpp/include"],
    "clients/cli/time_flag.h": [],
    "clients/cli/bench": BASE + ["common/runtime", "clients/cpp", "clients/cpp/include",
                                 "clients/cli/family.h", "clients/cli/time_flag.h"],
    "clients/cli/operate": BASE + ["common/runtime", "clients/cpp", "clients/cpp/include",
                                   "clients/cli/family.h", "clients/cli/time_flag.h"],
}

PUBLIC_PROTO = ["services/seatlock/rpc", "services/seatlock/main.cc", "edge/upstream",
                "edge/main.cc", "clients/"]
# seatctl bench needs calls that do not block, which the client library does not have.
GRPC = ["services/seatlock/rpc", "services/seatlock/main.cc", "edge/upstream", "edge/main.cc",
        "edge/upstream_tls.h", "common/tls/channel_credentials.h",
        "common/tls/channel_credentials.cc", "clients/cpp", "clients/cli/bench"]
# (pattern of the include, what it is, the folders or files that may include it)
LIBRARIES = [
    (r"grpc(pp)?/|.*\.grpc\.pb\.h$", "gRPC", GRPC),
    (r"seatlock/v1/", "the public proto", PUBLIC_PROTO),
    (r"seatlock/log/v1/", "the stores' record proto",
     ["services/seatlock/log/codec", "services/seatlock/log/sqlite"]),
    (r"google/rpc/", "google.rpc", ["services/seatlock/rpc", "edge/upstream", "clients/cpp"]),
    (r"boost/beast", "Beast", ["edge/ws", "common/runtime/admin_server.cc",
                               "common/runtime/health.cc", "clients/cli/bench/ws_fleet.cc",
                               "clients/cli/operate/http.cc"]),
    (r"boost/asio", "Asio", ["edge/ws", "edge/main.cc", "common/runtime/admin_server.cc",
                             "common/runtime/health.cc", "clients/cli/bench/ws_fleet.cc",
                             "clients/cli/operate/http.cc"]),
    (r"boost/url", "Boost.URL", ["edge/ws", "clients/cli/operate/http.cc"]),
    (r"sqlite3\.h", "SQLite", ["services/seatlock/log/sqlite"]),
    (r"hiredis/", "Redis", ["services/seatlock/log/redis"]),
    (r"libpq", "PostgreSQL", ["services/seatlock/log/postgres"]),
    (r"prometheus/", "prometheus-cpp", ["common/runtime/metrics.cc"]),
    (r"spdlog/", "spdlog", ["common/runtime/logging.cc"]),
    (r"CLI/", "CLI11", ["common/runtime/flags.cc", "clients/cli/args.cc",
                       "clients/cli/tls_flags.cc", "clients/cli/bench/args.cc",
                       "clients/cli/operate/args.cc"]),
]

# Users of the installed client, and we, write <seatlock/client.h>.
PUBLIC_HEADER = re.compile(r"seatlock/\w+\.h$")
PUBLIC_HEADERS = "clients/cpp/include/"

TOPS = ("common/", "services/", "edge/", "clients/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def module_of(path):
    """The longest module that `path` is or lies in, None for a folder that has no arrows yet."""
    found = [name for name in ARROWS if path == name or path.startswith(name + "/")]
    return max(found, key=len, default=None)


def allowed_modules(module):
    names = {module}
    for name in ARROWS[module]:
        whole = name == "common"
        names.update(m for m in ARROWS if m == name or (whole and m.startswith("common/")))
    return names


def is_test(path, includes):
    helper = any(i.startswith(("gtest/", "gmock/", "rapidcheck")) for i in includes)
    return path.startswith("tests/") or path.endswith("_test.cc") or helper


def check_own(path, module, include):
    if include.startswith("tests/"):
        return "only tests include tests/: move what is needed out of it"
    if PUBLIC_HEADER.match(include):
        include = PUBLIC_HEADERS + include
    target = module_of(include)
    if not include.startswith(TOPS):
        return None
    if target is None:
        return "the folder has no arrows: add it to tests/checks/arrows.py and ARCHITECTURE.md"
    allowed = allowed_modules(module)
    if target in allowed:
        return None
    listed = ", ".join(sorted(allowed - {module})) or "nothing of ours"
    return (f"{module} may include {listed}; hand it in from the program's root (an interface of "
            f"{module}, an implementation there), or move what both need down to common/base")


def check_library(path, include):
    for pattern, what, places in LIBRARIES:
        if not re.match(pattern, include):
            continue
        if any(path == place or path.startswith(place.rstrip("/") + "/") for place in places):
            return None
        return f"{what} belongs in {', '.join(places)}: use what they offer, or add it there"
    return None


def check_file(path, text):
    """The breaches of one file, as (include, way out)."""
    includes = INCLUDE.findall(text)
    if is_test(path, includes):
        return []
    module = module_of(path)
    if module is None:
        return [("(the file itself)", "its folder has no arrows: add it to tests/checks/arrows.py")]
    breaches = []
    for include in includes:
        way_out = check_own(path, module, include) or check_library(path, include)
        if way_out:
            breaches.append((include, way_out))
    return breaches


def check_tree(root):
    lines = []
    for top in TOPS:
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".h", ".cc") or "node_modules" in file.parts:
                continue
            path = file.relative_to(root).as_posix()
            for include, way_out in check_file(path, file.read_text(encoding="utf-8")):
                lines.append(f"{path}: includes {include}: {way_out}")
    return lines


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    lines = check_tree(root)
    print("\n".join(lines) if lines else "arrows: every include is as ARCHITECTURE.md draws it")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
