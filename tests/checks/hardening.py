#!/usr/bin/env python3
"""Checks that programs were built as cmake/SeatLockHardening.cmake says: hardening.py PROGRAM...

Reads the programs and not the build files, by readelf, so that a flag that got lost on the way is
noticed. The compiler writes the flags of each file into the debug information: a program that was
stripped cannot be checked. Prints one line for each breach, and exits 1 if there is any.
"""

import platform
import re
import subprocess
import sys

EVERY_FILE = ["-fstack-protector-strong"]
if platform.machine() in ("x86_64", "amd64"):
    EVERY_FILE.append("-fcf-protection")
WAY_OUT = "cmake/SeatLockHardening.cmake has the flag; is something else setting it anew?"
# What _FORTIFY_SOURCE puts in place of memcpy and the like.
BOUNDED_COPY = re.compile(r"\bUND __(?!stack_chk)\w+_chk\b")


def readelf(program, *what):
    return subprocess.run(["readelf", "-W", *what, program], check=True, capture_output=True,
                          text=True).stdout


def flags_of_files(program):
    """Of each file that it was made of, the compiler with its flags."""
    text = readelf(program, "--debug-dump=info", "--dwarf-depth=1")
    return re.findall(r"DW_AT_producer\s*:.*?(GNU C\+\+.*|.*clang version.*)", text)


def faults(program):
    headers, dynamic = readelf(program, "-h", "-l"), readelf(program, "-d")
    symbols = readelf(program, "--dyn-syms")
    found = []
    if not re.search(r"\(FLAGS_1\).*\bPIE\b", dynamic):
        found.append("it lies at a fixed address (-fPIE -pie)")
    if "GNU_RELRO" not in headers:
        found.append("its tables of addresses stay writable (-z relro)")
    if not re.search(r"\(FLAGS(_1)?\).*\b(BIND_)?NOW\b", dynamic):
        found.append("its tables of addresses are filled in while it runs (-z now)")
    if re.search(r"GNU_STACK .* RWE ", headers):
        found.append("its stack is executable")
    if "__stack_chk_fail" not in symbols:
        found.append("no function looks after its stack frame (-fstack-protector-strong)")
    if not BOUNDED_COPY.search(symbols):
        found.append("no copy is bounded (-D_FORTIFY_SOURCE=2)")
    files = flags_of_files(program)
    if not files:
        found.append("it has no debug information, so nobody can say how it was compiled")
    for flag in EVERY_FILE:
        without = sum(not {flag, f"{flag}=full"} & set(flags.split()) for flags in files)
        if without:
            found.append(f"{without} of the {len(files)} files in it were compiled without {flag}")
    return found


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    breaches = [f"{program}: {fault}: {WAY_OUT}" for program in sys.argv[1:]
                for fault in faults(program)]
    print("\n".join(breaches) or f"hardening: {len(sys.argv) - 1} programs have all of it")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
