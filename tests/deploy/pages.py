"""Runs the commands that a page shows, as they stand in it.

    class DocsTest(unittest.TestCase):
        def test_backup(self):
            run_blocks(self, "docs/operating.md", cwd=folder, env=env, replaced={":50051": ":4711"})

runs every shell block of the page that names this test. In `sh` each command must succeed (end it
with `; echo $?` if it is meant to fail). In `console` what a command prints must be what the page
shows after it: times, UUIDs and epochs count as equal, `…` stands for anything, and a line of `…`
alone for any lines. The commands of one call share one bash, so an alias or a variable lasts.
"""

import os
import re
import signal
import subprocess
import tempfile
import time

from tests.checks.fences import blocks_in
from tests.deploy.programs import ROOT, until

# Longer than any command takes on a busy machine; a command that hangs fails the test then.
COMMAND_SECONDS_MAX = 120
VARYING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "TIME"),
    (re.compile(r"\b(?:\d+h)?\d+m\d\ds\b"), "DURATION"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "ID"),
]


def blocks_of(case, page):
    """The shell blocks of the page that name this test; there is at least one."""
    name = ".".join(case.id().split(".")[-2:])
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [block for block in blocks_in(page, text)
             if block.is_shell and block.words.get("test") == name]
    case.assertTrue(found, f"{page}: no block says test={name}")
    return found


def run_blocks(case, page, *, cwd=ROOT, env=None, replaced=None, until=None, skip=0,
               awaited=None):
    """Runs the page's blocks for this test in one bash, and returns all that they printed.

    The first `skip` blocks are left out, for the test to run in a way of its own. `replaced` maps
    what stands in the page to what is run, such as ports. With `until`, a pattern, the last command
    is one that does not end by itself: it is ended once it has printed that. `awaited` maps the
    begin of a command that goes on in the background (`&`) to what it must have printed before the
    next one is given, as a person would wait for it.
    """
    commands = [(block, *pair) for block in blocks_of(case, page)[skip:]
                for pair in commands_in(block)]
    with Shell(cwd, {**os.environ, **(env or {})}) as shell:
        for number, (block, command, shown) in enumerate(commands):
            last = until if number == len(commands) - 1 else None
            status, printed = shell.run(with_replaced(command, replaced), last)
            for begin, pattern in (awaited or {}).items():
                if command.startswith(begin):
                    shell.await_printed(pattern)
            at = f"{page}:{block.line}: $ {command}\n{printed}"
            case.assertIn(status, (0, None), at)
            if block.language == "console":
                check_shown(case, at, shown, printed, replaced)
        return shell.printed()


def is_printed(file, text, seconds, process):
    """Waits until the file has the text; false if time is up, or the process ended before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        if text in file.read_text(encoding="utf-8", errors="replace"):
            return True
        if ended:
            return False
        time.sleep(0.05)
    return False


def with_replaced(text, replaced):
    for old, new in (replaced or {}).items():
        text = text.replace(old, new)
    return text


def commands_in(block):
    """Pairs of a command and what the page shows of its answer."""
    if block.language == "console":
        pairs = []
        for line in block.text.splitlines():
            if line.startswith("$ "):
                pairs.append((line[2:], []))
            elif pairs and pairs[-1][0].endswith("\\") and not pairs[-1][1]:
                pairs[-1] = (f"{pairs[-1][0]}\n{line.removeprefix('> ')}", [])
            elif pairs:
                pairs[-1][1].append(line)
        return pairs
    pairs, lines = [], []
    for line in block.text.splitlines():
        lines.append(line)
        if is_complete("\n".join(lines)):
            if re.search(r"^\s*[^#\s]", "\n".join(lines), re.M):
                pairs.append(("\n".join(lines), []))
            lines = []
    if lines:
        raise ValueError(f"{block.page}:{block.line}: a command that does not end: {lines[0]}")
    return pairs


def is_complete(command):
    if command.endswith("\\"):
        return False
    # A here-document without its end is a warning only.
    checked = subprocess.run(["bash", "-n"], input=command + "\n", text=True, capture_output=True,
                             check=False)
    return checked.returncode == 0 and "here-document" not in checked.stderr


def comparable(text):
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def check_shown(case, at, shown, printed, replaced):
    parts = []
    for line in comparable(with_replaced("\n".join(shown), replaced)):
        if line == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(re.escape(line).replace(re.escape("…"), ".*?") + "\n")
    case.assertRegex("\n".join(comparable(printed)) + "\n", r"\A" + "".join(parts) + r"\Z",
                     f"{at}\ndiffers from what the page shows:\n" + "\n".join(shown))


class Shell:
    """One bash, in a session of its own, whose output goes to a file."""

    def __init__(self, cwd, env):
        self.output = tempfile.TemporaryFile()
        self.mark = f"ended-{os.urandom(8).hex()}"
        path = f"{env['SEATLOCK_BIN']}:{env['PATH']}" if "SEATLOCK_BIN" in env else env["PATH"]
        self.bash = subprocess.Popen(
            ["bash"], cwd=cwd, env={**env, "PATH": path}, stdin=subprocess.PIPE,
            stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True)
        self.say("shopt -s expand_aliases")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Also what it left in the background. All are in its session, so they are ours.
        try:
            os.killpg(self.bash.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.bash.stdin.close()
        try:
            self.bash.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.bash.pid, signal.SIGKILL)
            self.bash.wait()
        self.output.close()

    def say(self, line):
        self.bash.stdin.write(line.encode() + b"\n")
        self.bash.stdin.flush()

    def printed(self):
        self.output.flush()
        text = os.pread(self.output.fileno(), 1 << 24, 0).decode(errors="replace")
        return re.sub(rf"{self.mark} \d+\n", "", text)

    def await_printed(self, pattern):
        until(lambda: re.search(pattern, self.printed()),
              lambda: f"{pattern} is printed:\n{self.printed()}", COMMAND_SECONDS_MAX)

    def run(self, command, until):
        """Its exit status, None for one that was left running, and what it printed."""
        begin = os.fstat(self.output.fileno()).st_size
        # Commands read from /dev/null: the rest of bash's own input is not theirs.
        self.say(f"{{ {command}\n}} </dev/null; printf '{self.mark} %s\\n' $?")
        deadline = time.monotonic() + COMMAND_SECONDS_MAX
        while time.monotonic() < deadline:
            text = os.pread(self.output.fileno(), 1 << 24, begin).decode(errors="replace")
            ended = re.search(rf"{self.mark} (\d+)\n", text)
            if ended:
                return int(ended[1]), text[:ended.start()] + text[ended.end():]
            if until and re.search(until, text):
                return None, text
            if self.bash.poll() is not None:
                raise AssertionError(f"bash ended in: {command}\n{text}")
            time.sleep(0.02)
        raise AssertionError(f"it took more than {COMMAND_SECONDS_MAX} s: {command}\n{text}")
