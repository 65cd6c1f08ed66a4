"""A shell with somebody in front of it: keys go in by a pseudo-terminal, what it shows comes
out."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

# Far more than a completion takes.
SECONDS_MAX = 60
MARK = "READY-FOR-KEYS"


class ShellSession:
    """Use as a context. `setup` are lines that are run before anybody types."""

    def __init__(self, words: list[str], setup: list[str], folder: str):
        self._words, self._setup, self._folder = words, setup, folder

    def __enter__(self) -> "ShellSession":
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._process = subprocess.Popen(
            self._words,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            cwd=self._folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": self._folder,
                "TERM": "dumb",
                "LC_ALL": "C.UTF-8",
            },
        )
        os.close(theirs)
        self._terminal = ours
        for line in self._setup:
            os.write(ours, line.encode() + b"\n")
        # In two parts, so that the echo of the line itself does not count.
        os.write(ours, f"echo READY-FOR-''KEYS\n".encode())
        self.read_until(MARK)
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def read_until(self, text: str, why: str = "") -> None:
        """What the terminal is told to do (bell, begin of the line) may stand within it."""
        shown = ""
        deadline = time.monotonic() + SECONDS_MAX
        while text not in shown.replace("\r", "").replace("\x07", ""):
            readable, _, _ = select.select([self._terminal], [], [], 1)
            if readable:
                shown += os.read(self._terminal, 65536).decode(errors="replace")
            elif time.monotonic() > deadline:
                raise AssertionError(f"{why}no {text!r} in {shown!r}")

    def completed(self, typed: str, whole: str) -> None:
        """Types the line and a tabulator, and waits until it has become `whole`."""
        os.write(self._terminal, typed.encode() + b"\t")
        self.read_until(whole, f"of {typed!r}: ")
        os.write(self._terminal, b"\x15")  # takes the line away
