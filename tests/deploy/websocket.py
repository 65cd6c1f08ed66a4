"""A browser as the edge sees one: a small RFC 6455 client that follows a showtime over TLS, comes
back with its position whenever it was cut off, and notes every change that it missed."""

import base64
import json
import os
import socket
import struct
import threading

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
# With room for a machine on which much else runs.
CONNECT_SECONDS_MAX = 30
# Longer than the edge is ever silent. If a socket says nothing for so long the browser gives up.
SILENT_SECONDS_MAX = 90
# Before another attempt, as a page's client does it.
PAUSE_SECONDS = 0.1


class Refused(Exception):
    """The upgrade was answered with another status than 101."""

    def __init__(self, status, head):
        super().__init__(f"{status}: {head}")
        self.status = status


class WebSocket:
    """One connection after its upgrade. Of one thread, but `close` may come from another."""

    def __init__(self, address, tls, path, source=None, headers=None):
        raw = socket.create_connection(
            address, CONNECT_SECONDS_MAX, (source, 0) if source else None)
        self.socket = raw
        try:
            self.socket = tls.wrap_socket(raw, server_hostname="seats.example") if tls else raw
            self.buffer = b""
            self._upgrade(path, headers or {})
        except BaseException:
            self.close()
            raise
        self.socket.settimeout(SILENT_SECONDS_MAX)

    def _upgrade(self, path, headers):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", "Host: seats.example", "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            raise Refused(status, head.decode())

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        """The next frame: its opcode and its payload. The edge sends each message in one frame."""
        first, length = self._take(2)
        if length == 126:
            length, = struct.unpack(">H", self._take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._take(8))
        return first & 15, self._take(length)

    def send(self, opcode, payload):
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        size = len(payload)
        head = bytes([128 | size]) if size < 126 else bytes([254]) + struct.pack(">H", size)
        self.socket.sendall(bytes([128 | opcode]) + head + mask + masked)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class Browser(threading.Thread):
    """Follows a showtime until `stop`. `faults` stays empty if it saw each change once, in order,
    and got no snapshot but the first."""

    def __init__(self, address, tls, showtime, path="/ws/seat-updates", source=None, resume=True):
        super().__init__(daemon=True)
        self.how = (address, tls, path, source)
        self.showtime = showtime
        self.resume = resume
        self.stopping = threading.Event()
        self.link = None
        self.live = False
        self.epoch = None
        self.revision = 0
        self.lives = 0  # how often it was subscribed
        self.pings = 0
        self.faults = []
        self.closes = []

    def run(self):
        while not self.stopping.is_set():
            try:
                self._follow()
            except (OSError, Refused) as error:
                self.closes.append(repr(error))
            self.live = False
            self.stopping.wait(PAUSE_SECONDS)

    def _follow(self):
        self.link = WebSocket(*self.how)
        try:
            subscribe = {"type": "subscribe", "showtimeId": self.showtime}
            if self.resume and self.epoch:
                subscribe["resume"] = {"epoch": self.epoch, "revision": self.revision}
            self.link.send(TEXT, json.dumps(subscribe).encode())
            while not self.stopping.is_set():
                opcode, payload = self.link.receive()
                if opcode == CLOSE:
                    self.closes.append(struct.unpack(">H", payload[:2])[0])
                    return
                self._take(opcode, payload)
        finally:
            self.link.close()

    def _take(self, opcode, payload):
        if opcode == PING:
            self.pings += 1
            self.link.send(PONG, payload)
        elif opcode == TEXT:
            frame = json.loads(payload)
            if frame["type"] == "subscribed":
                self._subscribed(frame)
            elif frame["type"] == "seat_status_change":
                self._changed(frame["revision"])
            elif frame["type"] == "error":
                self.faults.append(frame)

    def _subscribed(self, frame):
        came_back = self.epoch is not None
        if not came_back:
            self.epoch, self.revision = frame["epoch"], frame["revision"]
        elif not self.resume:
            self._jumped_to(frame["revision"])
        elif not frame["recovered"]:
            self.faults.append(f"a snapshot in place of what came after {self.revision}: {frame}")
            self.epoch, self.revision = frame["epoch"], frame["revision"]
        self.lives += 1
        self.live = True

    def _jumped_to(self, revision):
        if revision != self.revision:
            self.faults.append(f"from {self.revision} to {revision} without what was between")
        self.revision = revision

    def _changed(self, revision):
        if revision != self.revision + 1:
            self.faults.append(f"{revision} after {self.revision}")
        self.revision = revision

    def stop(self):
        self.stopping.set()
        if self.link:
            self.link.close()
        self.join(CONNECT_SECONDS_MAX)


def is_live(browser):
    return browser.live
