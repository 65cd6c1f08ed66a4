"""A seatlockd that a test starts on a free port of loopback, with a store in memory."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ.get("SEATLOCK_BIN", "build/release/bin"))
# Far more than it takes; a program that hangs fails the test then.
SECONDS_MAX = 60


class Seatlockd:
    """Use as a context: it serves from __enter__ on, at `address`, and is gone after __exit__."""

    def __enter__(self):
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [BIN / "seatlockd", "--store=memory:", "--listen=127.0.0.1:0",
             "--admin-listen=127.0.0.1:0"], stdout=self._log, stderr=subprocess.STDOUT)
        try:
            self.address = self._await_address()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self._process.terminate()
        try:
            self._process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _await_address(self):
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline and self._process.poll() is None:
            # A line that is being written is read whole the next time.
            for line in self._printed().split("\n")[:-1]:
                entry = json.loads(line) if line.startswith("{") else {}
                if entry.get("msg") == "listening":
                    return entry["address"]
            time.sleep(0.02)
        raise AssertionError(f"seatlockd does not listen:\n{self._printed()}")

    def _printed(self):
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")
