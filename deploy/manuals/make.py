#!/usr/bin/env python3
"""Makes man pages and completions from the programs' own --help. Usage: make.py BIN OUT VERSION
MAINTAINER

Writes OUT/NAME.8.gz (seatctl: .1.gz), OUT/NAME.bash and OUT/_NAME for each of the programs in
BIN, and the changelogs of the packages. The same programs give the same bytes:
SOURCE_DATE_EPOCH, if it is set, is the pages' date.
"""

import datetime
import email.utils
import gzip
import os
import pathlib
import sys

import completions
from man_page import man_page
from program_help import read_program

PROGRAMS = {"seatlockd": 8, "seatlock-edge": 8, "seatctl": 1}


def build_time() -> datetime.datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    utc = datetime.timezone.utc
    return (
        datetime.datetime.fromtimestamp(int(epoch), utc) if epoch else datetime.datetime.now(utc)
    )


def debian_changelog(version: str, maintainer: str) -> str:
    """Debian's form of one entry. What has changed is in the project's own changelog beside it."""
    when = email.utils.format_datetime(build_time())
    entry = "  * Build of the version; its changes are in changelog.gz."
    return (
        f"seatlock ({version}-1) unstable; urgency=medium\n\n{entry}\n\n -- {maintainer}  {when}\n"
    )


def write_gz(path: pathlib.Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def make(binaries: pathlib.Path, out: pathlib.Path, version: str, maintainer: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    templates = pathlib.Path(__file__).parent
    for name, section in PROGRAMS.items():
        help_ = read_program(binaries / name)
        page = f"{name}.{section}"
        template = (templates / f"{page}.in").read_text()
        text = man_page(template, name, help_, version, build_time().strftime("%Y-%m-%d"))
        write_gz(out / f"{page}.gz", text)
        (out / f"{name}.bash").write_text(completions.bash(name, help_))
        (out / f"_{name}").write_text(completions.zsh(name, help_))
    write_gz(out / "changelog.gz", (templates.parents[1] / "CHANGELOG.md").read_text())
    write_gz(out / "changelog.Debian.gz", debian_changelog(version, maintainer))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    make(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4])
