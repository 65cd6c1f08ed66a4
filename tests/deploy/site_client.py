"""A shopper of the site over HTTP, and what a browser is sent by the edge."""

import http.cookiejar
import json
import subprocess
import threading
import urllib.error
import urllib.request

from tests.deploy.containers import ROOT, eventually


class Shopper:
    """One browser's worth of cookies."""

    def __init__(self, origin):
        self.origin = origin
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def page(self, path):
        with self._opener.open(self.origin + path, timeout=10) as answer:
            return answer.read().decode()

    def lock(self, showtime, seat):
        """(200, what the shopper holds) or (status, the refusal)."""
        request = urllib.request.Request(
            self.origin + "/api/seat-locks", method="POST",
            data=json.dumps({"showtimeId": showtime, "seatId": seat}).encode(),
            headers={"Content-Type": "application/json", "Origin": self.origin})
        try:
            with self._opener.open(request, timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


class Frames:
    """The frames of a showtime, as `./dev frames` shows them. A connection that is refused or ends
    is made again, as browsers do. Use as a context manager."""

    AGAIN_S = 0.2

    def __init__(self, address, showtime):
        self._command = ["perl", "dev.d/frames.pl", address, showtime]
        self._lines = []
        self._closing = threading.Event()
        self._process = None

    def __enter__(self):
        self._start()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *error):
        self._closing.set()
        self._process.kill()
        self._reader.join()

    def _start(self):
        self._process = subprocess.Popen(self._command, cwd=ROOT, text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def _read(self):
        while True:
            with self._process:
                for line in self._process.stdout:
                    self._lines.append(line)
            if self._closing.wait(self.AGAIN_S):
                return
            self._start()
            if self._closing.is_set():
                self._process.kill()

    def wait_for(self, *words):
        """The first line that has all of them."""
        return eventually(
            lambda: next((line for line in list(self._lines) if all(w in line for w in words)), ""),
            f"a frame with {words}; so far: {self._lines}")
