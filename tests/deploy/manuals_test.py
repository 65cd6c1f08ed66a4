"""Man pages and completions, which are made of the programs' --help when the packages are
built.

deploy/manuals reads --help; what is looked for here is found in it by a plain expression, so
that an option that the reader overlooks is noticed. Measured: 9 s.
"""

import gzip
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from tests.deploy.programs import BIN, ROOT
from tests.deploy.shell_session import ShellSession

PAGES = {"seatlockd": "seatlockd.8", "seatlock-edge": "seatlock-edge.8", "seatctl": "seatctl.1"}
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def help_of(program: str, *words: str) -> str:
    done = subprocess.run(
        [BIN / program, *words, "--help"], capture_output=True, text=True, check=True
    )
    return done.stdout


def subcommands(text: str) -> list[str]:
    """Those that CLI11 lists, and the commands of "seatlockd store"."""
    listed = re.search(r"\nSubcommands:\n((?: .*\n)+)", text)
    return re.findall(r"^  (\w+)", listed[1], re.MULTILINE) if listed else []


def words_of(program: str) -> set[str]:
    """Every flag and command that the program's help names, with that of its commands."""
    texts = [help_of(program)]
    if program == "seatlockd":
        texts.append(help_of(program, "store"))
    names = set(subcommands(texts[0]))
    for name in sorted(names):
        texts.append(help_of(program, name))
        inner = subcommands(texts[-1])
        names |= set(inner)
        texts += [help_of(program, name, one) for one in inner]
    if program == "seatlockd":
        names |= {"verify", "history", "restore", "backup", "compact", "init"}
    return names | {flag for text in texts for flag in FLAG.findall(text)}


class ManualsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        maker = [sys.executable, "-B", ROOT / "deploy/manuals/make.py", BIN, cls.folder]
        subprocess.run([*maker, "1.2.3", "Ann <ann@example.org>"], check=True)
        # Completion asks only for the program's name, but bash and zsh want a command of it.
        cls.path = f"{BIN}:{os.environ['PATH']}"

    def page(self, program: str) -> str:
        raw = gzip.decompress((self.folder / f"{PAGES[program]}.gz").read_bytes()).decode()
        return re.sub(r"\\f[BIR]", "", raw.replace("\\-", "-"))

    def test_a_page_has_every_flag_and_command_and_no_other(self):
        for program in PAGES:
            with self.subTest(program):
                page, known = self.page(program), words_of(program)
                missing = [
                    word
                    for word in known
                    if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", page)
                ]
                self.assertEqual(
                    missing, [], "deploy/manuals/program_help.py does not read them in --help"
                )
                self.assertEqual(
                    set(FLAG.findall(page)) - known, set(), "the .in file names what is not there"
                )

    def test_pages_are_well_formed(self):
        for program, name in PAGES.items():
            with self.subTest(program):
                path = self.folder / name
                path.write_text(
                    gzip.decompress((self.folder / f"{name}.gz").read_bytes()).decode()
                )
                said = subprocess.run(
                    ["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True
                )
                self.assertEqual(said.stdout, "")

    def complete(self, program: str, line: str) -> list[str]:
        """What bash offers after `line`."""
        words = line.split(" ")
        script = f"""
            source {BASH_COMPLETION}
            source {self.folder}/{program}.bash
            COMP_LINE={line!r} COMP_POINT={len(line)} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _{program.replace('-', '_')} 2>/dev/null
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", *words], capture_output=True, text=True
        )
        return done.stdout.split()

    def test_bash_offers_every_flag_and_command(self):
        for program in PAGES:
            with self.subTest(program):
                offered = set(self.complete(program, f"{program} ")) | set(
                    self.complete(program, f"{program} -")
                )
                text = help_of(program)
                wanted = set(subcommands(text)) | set(
                    FLAG.findall(text.split("\nOptions:")[1].split("\nSub")[0])
                )
                # Flags that are only spoken of, such as --listen in the text of another.
                self.assertEqual(wanted - offered, set())
        for command in subcommands(help_of("seatctl")):
            with self.subTest(command):
                offered = set(self.complete("seatctl", f"seatctl {command} -"))
                options = help_of("seatctl", command).split("\nOptions:")[1].split("\n\n")[0]
                self.assertEqual(
                    set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", options, re.MULTILINE)) - offered,
                    set(),
                )

    def test_bash_offers_values(self):
        self.assertEqual(self.complete("seatctl", "seatctl list --output "), ["table", "json"])
        self.assertEqual(self.complete("seatlockd", "seatlockd --log-level w"), ["warn"])
        self.assertEqual(
            self.complete("seatlockd", "seatlockd --store "), ["memory:", "sqlite:", "redis://"]
        )
        self.assertEqual(
            self.complete("seatlockd", "seatlockd store "),
            "verify history restore backup compact init --store".split(),
        )
        self.assertEqual(
            self.complete("seatlock-edge", "seatlock-edge --upstream 1"), ["127.0.0.1:50051"]
        )

    def type_in(self, words: list[str], setup: list[str], typed: dict[str, str]):
        with ShellSession(words, [f"PATH={self.path}", *setup], str(self.folder)) as shell:
            for line, whole in typed.items():
                shell.completed(line, whole)

    TYPED = {
        "seatctl exte": "seatctl extend ",
        "seatctl lock 1 A06 --max-s": "--max-session-seats",
        "seatctl list --output j": "--output json",
        "seatlockd store verify --store sq": "--store sqlite:",
        "seatlockd --log-format te": "--log-format text",
        "seatlock-edge --max-new": "--max-new-showtimes-per-address",
    }

    def test_somebody_types_in_bash(self):
        setup = [
            f"source {BASH_COMPLETION}",
            *(f"source {self.folder}/{name}.bash" for name in PAGES),
        ]
        self.type_in(["bash", "--norc", "-i"], setup, self.TYPED)

    def test_somebody_types_in_zsh(self):
        setup = [
            f"fpath=({self.folder} $fpath)",
            "autoload -U compinit",
            "compinit -u -D",
            "unsetopt zle_bracketed_paste",
        ]
        self.type_in(["zsh", "-f", "-i"], setup, self.TYPED)


if __name__ == "__main__":
    unittest.main()
