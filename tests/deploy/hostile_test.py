"""The known faults of Debian's gRPC 1.51 (docs/security.md), sent by a caller with a certificate
through nginx and HAProxy as they are shipped: seatlockd lives, and good callers are served all the
while. Where a fault does something without the proxy, a control shows it."""

import threading
import unittest

from tests.deploy.floods import CANCEL, HEADERS, RST_STREAM, RapidReset, frame
from tests.deploy.http2 import (
    CONTINUATION, PAYLOAD_BYTES, Link, call_fields, field, in_frames, integer)
from tests.deploy.programs import until
from tests.deploy.proxies import Behind, Caller, HAProxy, Nginx, trust

SHOWTIME = "123"
# Far more than what a head may have. gRPC's cost of a long one rises with its square.
HEAD_BYTES = 1 << 20
# How long the control looks whether seatlockd ends the connection.
PATIENCE_SECONDS = 5
PING, ACKNOWLEDGED = 6, 1


def endless(first):
    """A head that goes on for ever: `first`, and then whatever `more` it is extended by."""
    return frame(HEADERS, 0, 1, call_fields() + first)


# CVE-2023-33953: each is read without end before gRPC looks at the bound of its size.
ENDLESS_HEADS = {
    "a string of 1 GiB": (b"\x00\x01a" + integer(1 << 30, 7), b"a" * PAYLOAD_BYTES),
    "an integer of zeros": (b"\x00\x7f", b"\x80" * PAYLOAD_BYTES),
    "fields in many frames": (b"", field("a", "1") * (PAYLOAD_BYTES // 5)),
}
# More than seatlockd's bound of a head, 16 KiB, where each field counts 32 bytes besides; and less
# than the proxies', which have the same bound without them.
FILLER = b"".join(field(f"x-{i}", "f" * 150) for i in range(88))
# CVE-2023-1428: each with a head that is too large ended gRPC's server.
DEADLY_HEADS = {
    "te": call_fields(te="x") + FILLER,
    "scheme": call_fields(scheme="x") + FILLER,
    "grpclb_client_stats": call_fields() + field("grpclb_client_stats", "x") + FILLER,
}


class Good(threading.Thread):
    """A caller who locks one seat after the other, and must be served each time."""

    def __init__(self, caller):
        super().__init__(daemon=True)
        self.caller = caller
        self.stopping = threading.Event()
        self.locked, self.refused = 0, []

    def run(self):
        while not self.stopping.wait(0.02):
            answer = self.caller.lock(SHOWTIME, f"S{self.locked % 50}")
            if answer["code"] == "OK":
                self.locked += 1
            else:
                self.refused.append(answer)

    def stop(self):
        self.stopping.set()
        self.join(60)


class Case(unittest.TestCase):
    def setUp(self):
        self.behind = Behind()
        self.addCleanup(self.behind.stop)

    def tls_of_a_caller(self):
        folder = self.behind.folder / "tls"
        tls = trust(folder)
        tls.set_alpn_protocols(["h2"])
        tls.load_cert_chain(folder / "caller.pem", folder / "caller.key")
        return tls

    def caller(self, port):
        caller = Caller(self.behind, port)
        self.addCleanup(caller.stop)
        return caller

    def link(self, port, tls):
        link = Link(("127.0.0.1", port), tls)
        self.addCleanup(link.close)
        return link

    def is_cut_off(self, link, first, more):
        """Whether the other end ends the connection over a head without end."""
        link.send(endless(first))
        sent = 0
        while sent < HEAD_BYTES and link.send(frame(CONTINUATION, 0, 1, more)):
            sent += len(more)
        for _ in link.frames():
            pass
        return not link.timed_out


class ThroughProxy:
    def setUp(self):
        super().setUp()
        self.proxy = self.kind(self.behind, self.kind.__name__.lower(), self.change)
        self.addCleanup(self.proxy.stop)
        self.good = Good(self.caller(self.proxy.grpc))
        self.watcher = self.caller(self.proxy.grpc)
        self.assertEqual(self.good.caller.lock(SHOWTIME, "A01")["code"], "OK")
        self.watcher.watch(SHOWTIME)
        self.assertIn("snapshot", self.watcher.next_line()["event"])
        self.good.start()
        self.addCleanup(self.good.stop)

    @staticmethod
    def change(text):
        return text

    def attack(self):
        return self.link(self.proxy.grpc, self.tls_of_a_caller())

    def assert_others_are_served(self):
        """Since the attack began, and still: calls and a watch that was there before."""
        locked = self.good.locked
        until(lambda: self.good.locked >= locked + 10, "calls go on")
        self.good.stop()
        self.assertEqual(self.good.refused, [])
        self.assertIsNone(self.behind.server.process.poll(), "seatlockd lives")
        self.assertEqual(self.caller(self.proxy.grpc).lock(SHOWTIME, "Z99")["code"], "OK")
        while "Z99" not in str(line := self.watcher.next_line()):
            self.assertIn("event", line, "the watch goes on")

    def test_heads_without_end_are_cut_off(self):
        for name, (first, more) in ENDLESS_HEADS.items():
            with self.subTest(name):
                self.assertTrue(self.is_cut_off(self.attack(), first, more))
        self.assert_others_are_served()

    def test_heads_that_ended_the_server_do_not(self):
        for head in DEADLY_HEADS.values():
            for _ in range(20):
                link = self.attack()
                link.send(in_frames(head))
                link.send(frame(RST_STREAM, 0, 1, CANCEL))
                link.close()
        self.assert_others_are_served()

    def test_bad_base64_breaks_nobody_elses_connection(self):
        link = self.attack()
        for stream in range(1, 400, 2):
            if not link.send(in_frames(call_fields() + field("x-bad-bin", "!!!"), stream)):
                break  # an attacker's own connection may end
        self.assert_others_are_served()

    def test_heads_that_are_too_large_mix_up_nobodys_calls(self):
        for _ in range(10):
            link = self.attack()
            for stream in range(1, 20, 2):
                # With entries for the table that both ends keep (an index of its own: 0x40).
                head = call_fields() + b"".join(
                    b"\x40" + field(f"y-{i}", f"{i}" * 40)[1:] for i in range(90)) + FILLER
                if not link.send(in_frames(head, stream)):
                    break
            link.close()
        self.assert_others_are_served()

    def test_calls_that_are_cancelled_at_once_are_held_off_from_both_ports(self):
        tls = self.tls_of_a_caller()
        browsers = trust(self.behind.folder / "tls")
        browsers.set_alpn_protocols(["h2"])
        floods = [RapidReset(("127.0.0.1", self.proxy.https), browsers)]
        for flood in floods:
            flood.start()
            self.addCleanup(flood.stop)
        until(lambda: floods[0].calls > 20_000, "it floods")
        self.assert_others_are_served()
        floods[0].stop()
        grpc = RapidReset(("127.0.0.1", self.proxy.grpc), tls)
        grpc.start()
        self.addCleanup(grpc.stop)
        until(lambda: grpc.refused > 0, "it is refused")
        self.assertIsNone(self.behind.server.process.poll(), "seatlockd lives")
        grpc.stop()
        until(lambda: self.caller(self.proxy.grpc).lock(SHOWTIME, "Z98")["code"] == "OK",
              "its address is served again")


class NginxHostileTest(ThroughProxy, Case):
    kind = Nginx


class HAProxyHostileTest(ThroughProxy, Case):
    kind = HAProxy


class ControlTest(Case):
    """Straight to seatlockd, without a proxy: what must not be exposed."""

    def test_a_head_without_end_is_kept_and_nobody_ends_it(self):
        for name, (first, more) in list(ENDLESS_HEADS.items())[:2]:
            with self.subTest(name):
                link = self.link(self.behind.server.port, None)
                link.link.settimeout(PATIENCE_SECONDS)
                self.assertFalse(self.is_cut_off(link, first, more))

    def test_bad_base64_ends_the_connection_of_all_who_share_it(self):
        link = self.link(self.behind.server.port, None)
        link.send(in_frames(call_fields() + field("x-bad-bin", "!!!")))
        link.send(frame(PING, 0, 0, b"12345678"))
        self.assertNotIn((PING, ACKNOWLEDGED), [(kind, flags) for kind, flags, *_ in link.frames()])
        self.assertFalse(link.timed_out, "it was closed")

    def test_decent_metadata_leaves_the_connection_open(self):
        link = self.link(self.behind.server.port, None)
        link.send(in_frames(call_fields() + field("x-good-bin", "AAAA")))
        link.send(frame(PING, 0, 0, b"12345678"))
        self.assertTrue(any((kind, flags) == (PING, ACKNOWLEDGED)
                            for kind, flags, *_ in link.frames()))

    def test_this_build_outlives_the_heads_that_end_others(self):
        for name, head in DEADLY_HEADS.items():
            with self.subTest(name):
                link = self.link(self.behind.server.port, None)
                link.send(in_frames(head))
                until(lambda: HEADERS in (kind for kind, *_ in link.frames()), "it is answered")
                self.assertIsNone(self.behind.server.process.poll(), "seatlockd lives")


if __name__ == "__main__":
    unittest.main()
