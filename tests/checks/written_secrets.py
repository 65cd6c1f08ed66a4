#!/usr/bin/env python3
"""Searches what a test run wrote for secrets that it used: written_secrets.py SECRETS WRITTEN...

SECRETS is a folder of files with a secret a line, which tests have registered
(tests/testing/written.h, tests/deploy/programs.py). WRITTEN are files and folders: logs, metrics,
settings, the output of the tests themselves. A secret is found as it is, in hexadecimal, and in
base64 at whatever place of a longer text. Names the file and line of each find, never the secret,
and exits 1 if there is any; also if there is nothing to search for or in.
"""

import base64
import pathlib
import subprocess
import sys
import tempfile

# Shorter ones would be found by chance.
SECRET_BYTES_MIN = 16
FINDS_MAX = 20


def encodings(secret):
    """All that a reader could get it back from. base64 has three forms, by where it begins."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret)
        # Without what other bytes have a part in.
        begin = -(-before * 8 // 6)
        whole = (before + len(secret)) * 8 // 6
        piece = encoded[begin:whole]
        yield piece
        yield piece.replace(b"+", b"-").replace(b"/", b"_")


def registered(folder):
    lines = {line.strip() for path in sorted(folder.rglob("*")) if path.is_file()
             for line in path.read_bytes().splitlines()}
    return {line for line in lines if len(line) >= SECRET_BYTES_MIN}


def finds(secrets, written):
    with tempfile.NamedTemporaryFile() as needles:
        needles.write(b"\n".join({form for secret in secrets for form in encodings(secret)}))
        needles.flush()
        found = subprocess.run(
            ["grep", "-rabFn", "--only-matching", "-f", needles.name, "--", *map(str, written)],
            capture_output=True, check=False)
    if found.returncode > 1:
        raise OSError(found.stderr.decode(errors="replace"))
    # FILE:LINE:BYTE:SECRET
    return sorted({b":".join(line.split(b":")[:2]).decode(errors="replace")
                   for line in found.stdout.splitlines()})


def check(folder, written):
    """What is wrong, a line each."""
    secrets = registered(folder)
    if not secrets:
        return [f"{folder}: no test registered a secret, so nothing was searched for"]
    if not any(path.is_file() or any(path.rglob("*")) for path in written):
        return ["there is nothing to search in: was nothing written?"]
    return [f"{place}: a secret that a test used: find out who writes it, and leave it out"
            for place in finds(secrets, written)]


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    faults = check(pathlib.Path(sys.argv[1]), [pathlib.Path(path) for path in sys.argv[2:]])
    print("\n".join(faults[:FINDS_MAX]) or "secrets: what the tests wrote has none of theirs")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
