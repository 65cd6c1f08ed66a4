"""HTTP/2 by hand, for what no client would send (RFC 9113, 7541). frame() and the rest of what is
decent are in floods.py."""

import contextlib
import socket
import struct

from tests.deploy.floods import (
    END_HEADERS, FRAME_HEAD_BYTES, HEADERS, PREFACE, SETTINGS, frame)
from tests.deploy.programs import SECONDS_MAX

CONTINUATION = 9
PAYLOAD_BYTES = 16_384  # of a frame, unless the other end allows more
STREAM = 1
GET_SHOWTIME = "/seatlock.v1.SeatLockService/GetShowtime"


def integer(value, prefix_bits, first=0):
    """HPACK's, in the low bits of `first` and the bytes after it."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    value -= most
    encoded = [first | most]
    while value >= 128:
        encoded.append(value % 128 | 128)
        value //= 128
    return bytes([*encoded, value])


def text(value):
    data = value.encode()
    return integer(len(data), 7) + data


def field(name, value):
    """Without an index."""
    return b"\x00" + text(name) + text(value)


def call_fields(path=GET_SHOWTIME, scheme="https", te="trailers", authority="seats.example"):
    return b"".join(field(name, value) for name, value in (
        (":method", "POST"), (":scheme", scheme), (":path", path), (":authority", authority),
        ("content-type", "application/grpc"), ("te", te)))


def in_frames(block, stream=STREAM, ends=True):
    """A head of any length: HEADERS, and CONTINUATION for what does not fit."""
    pieces = [block[at:at + PAYLOAD_BYTES] for at in range(0, len(block), PAYLOAD_BYTES)]
    return b"".join(
        frame(HEADERS if index == 0 else CONTINUATION,
              END_HEADERS if ends and index == len(pieces) - 1 else 0, stream, piece)
        for index, piece in enumerate(pieces))


class Link:
    """A connection; `tls` may be None. It answers SETTINGS and nothing else."""

    def __init__(self, address, tls):
        link = socket.create_connection(address, SECONDS_MAX)
        self.link = tls.wrap_socket(link, server_hostname="seats.example") if tls else link
        self.link.sendall(PREFACE + frame(SETTINGS, 0, 0, b"") + frame(SETTINGS, 1, 0, b""))
        self.buffer = b""
        self.timed_out = False

    def send(self, data):
        """Whether the other end still takes it."""
        with contextlib.suppress(OSError):
            self.link.sendall(data)
            return True
        return False

    def frames(self):
        """(kind, flags, stream, payload) until the connection ends."""
        try:
            while True:
                while len(self.buffer) < FRAME_HEAD_BYTES or len(self.buffer) < self._end():
                    data = self.link.recv(65_536)
                    if not data:
                        return
                    self.buffer += data
                end = self._end()
                kind, flags, stream = struct.unpack(">BBI", self.buffer[3:FRAME_HEAD_BYTES])
                payload, self.buffer = self.buffer[FRAME_HEAD_BYTES:end], self.buffer[end:]
                yield kind, flags, stream, payload
        except TimeoutError:
            self.timed_out = True
        except OSError:
            return

    def _end(self):
        return FRAME_HEAD_BYTES + int.from_bytes(self.buffer[:3], "big")

    def close(self):
        self.link.close()
