"""A WebSocket inside an HTTP/2 connection (RFC 8441), as browsers open one if it is offered."""

import socket
import struct

from tests.deploy.floods import (
    END_HEADERS, FRAME_HEAD_BYTES, HEADERS, PREFACE, SETTINGS, frame, literal)
from tests.deploy.websocket import CONNECT_SECONDS_MAX, SILENT_SECONDS_MAX, WebSocket

DATA = 0
ACKNOWLEDGED = 1
ENABLE_CONNECT_PROTOCOL = 8
STATUS_200 = 0x88  # HPACK's own index of `:status 200`


def connect_head(path):
    """Names of HPACK's table by index, the rest spelt out."""
    return (b"\x02" + literal("CONNECT") + b"\x00" + literal(":protocol") + literal("websocket") +
            b"\x87\x04" + literal(path) + b"\x01" + literal("seats.example") +
            b"\x00" + literal("sec-websocket-version") + literal("13"))


class Stream:
    """Stream 1 of a connection: what WebSocket needs of a socket."""

    def __init__(self, address, tls, path):
        self.link = tls.wrap_socket(socket.create_connection(address, CONNECT_SECONDS_MAX),
                                    server_hostname="seats.example")
        self.buffer = b""
        self.link.sendall(PREFACE + frame(SETTINGS, 0, 0, b""))
        settings = dict(struct.iter_unpack(">HI", self._next(SETTINGS)))
        self.is_offered = settings.get(ENABLE_CONNECT_PROTOCOL) == 1
        self.link.sendall(frame(SETTINGS, ACKNOWLEDGED, 0, b"") +
                          frame(HEADERS, END_HEADERS, 1, connect_head(path)))
        self.is_open = self._next(HEADERS)[0] == STATUS_200

    def _next(self, kind):
        """The payload of the next frame of this kind; others are passed over."""
        while True:
            while len(self.buffer) < FRAME_HEAD_BYTES or len(self.buffer) < self._end():
                data = self.link.recv(65536)
                if not data:
                    raise ConnectionError("closed")
                self.buffer += data
            end, found = self._end(), self.buffer[3]
            payload, self.buffer = self.buffer[FRAME_HEAD_BYTES:end], self.buffer[end:]
            if found == kind:
                return payload

    def _end(self):
        return FRAME_HEAD_BYTES + int.from_bytes(self.buffer[:3], "big")

    def recv(self, _):
        return self._next(DATA)

    def sendall(self, data):
        self.link.sendall(frame(DATA, 0, 1, data))

    def settimeout(self, seconds):
        self.link.settimeout(seconds)

    def shutdown(self, how):
        self.link.shutdown(how)

    def close(self):
        self.link.close()


class WebSocketInHttp2(WebSocket):
    def __init__(self, address, tls, path):  # no upgrade of HTTP/1.1: the stream is the WebSocket
        self.socket = Stream(address, tls, path)
        self.buffer = b""
        self.socket.settimeout(SILENT_SECONDS_MAX)
