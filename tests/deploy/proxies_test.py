"""The files of deploy/nginx and deploy/haproxy as they are shipped, with TLS, in front of a real
seatlockd and two real edges. Took 190 s, and 267 s on 2 cores at a load of 20."""

import http.client
import json
import re
import ssl
import threading
import unittest

from tests.deploy.floods import OpenCalls, RapidReset, Relay, send_requests
from tests.deploy.programs import ROOT, until
from tests.deploy.proxies import Behind, Caller, HAProxy, Nginx, trust
from tests.deploy.websocket import TEXT, Browser, Refused, WebSocket
from tests.deploy.websocket_h2 import WebSocketInHttp2

PATH = "/ws/seat-updates"
SHOWTIME = "123"
DRAINING = 4200


class Case(unittest.TestCase):
    """What a test starts ends with it."""

    def start_behind(self, *edge_arguments):
        self.behind = Behind(edge_arguments)
        self.addCleanup(self.behind.stop)
        self.tls = trust(self.behind.folder / "tls")

    def start_proxy(self, kind, change=lambda text: text):
        proxy = kind(self.behind, kind.__name__.lower(), change)
        self.addCleanup(proxy.stop)
        return proxy

    def caller(self, port, certificate="caller"):
        caller = Caller(self.behind, port, certificate)
        self.addCleanup(caller.stop)
        return caller

    def browser(self, proxy, showtime, **how):
        browser = Browser(proxy.address(), self.tls, showtime, **how)
        self.addCleanup(browser.stop)
        browser.start()
        return browser

    def until_live(self, browsers):
        until(lambda: all(browser.live for browser in browsers),
              lambda: f"all browsers are live: {[b.closes[-3:] for b in browsers if not b.live]}")

    def connect(self, proxy, source=None):
        link = http.client.HTTPSConnection(
            "127.0.0.1", proxy.https, timeout=30, context=self.tls,
            source_address=(source, 0) if source else None)
        self.addCleanup(link.close)
        return link

    def get(self, proxy, path, source=None, headers=None):
        link = self.connect(proxy, source)
        link.request("GET", path, headers=headers or {})
        answer = link.getresponse()
        return answer.status, answer.read()


def without_overwriting_addresses(text):
    return "\n".join(line for line in text.split("\n")
                     if "X-Forwarded-For" not in line or "grpc" in line)


class Changes(threading.Thread):
    """Locks one seat after the other, until `stop`: not so often that the proxy refuses it."""

    PAUSE_SECONDS = 0.01

    def __init__(self, caller, showtime):
        super().__init__(daemon=True)
        self.caller, self.showtime = caller, showtime
        self.stopping = threading.Event()
        self.refused = []
        self.revision = 0

    def run(self):
        number = 0
        while not self.stopping.wait(self.PAUSE_SECONDS):
            number += 1
            answer = self.caller.call("LockSeat", {
                "showtimeId": self.showtime, "seatId": f"S{number}", "sessionId": f"s{number}"})
            if answer["code"] == "OK":
                self.revision = int(answer["body"]["revision"])
            else:
                self.refused.append(answer)

    def stop(self):
        self.stopping.set()
        self.join(60)


class Traffic:
    """What goes through a proxy on a good day."""

    def test_a_lock_reaches_a_browser_and_a_watch(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        caller, watcher = self.caller(proxy.grpc), self.caller(proxy.grpc)
        self.assertEqual(caller.lock(SHOWTIME, "A01")["code"], "OK")
        browser = self.browser(proxy, SHOWTIME)
        watcher.watch(SHOWTIME)
        self.assertIn("snapshot", watcher.next_line()["event"])
        self.until_live([browser])
        self.assertEqual(caller.lock(SHOWTIME, "A02")["code"], "OK")
        until(lambda: browser.revision == 2, "the browser is shown the lock")
        changes = (watcher.next_line()["event"].get("change") for _ in range(3))
        self.assertEqual(next(change for change in changes if change)["revision"], "2")
        self.assertEqual(browser.faults, [])

    def test_the_site_is_told_address_scheme_and_host(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}
        status, body = self.get(proxy, "/showtimes/123", "127.0.5.1", forged)
        self.assertEqual(status, 200)
        told = json.loads(body)
        self.assertEqual(told["x-forwarded-for"], "127.0.5.1")
        self.assertEqual(told["x-forwarded-proto"], "https")
        self.assertEqual(told["host"], f"127.0.0.1:{proxy.https}")

    def test_http_is_sent_to_https(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        link = http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=10)
        self.addCleanup(link.close)
        link.request("GET", "/showtimes/123?a=b", headers={"Host": "seats.example"})
        answer = link.getresponse()
        self.assertEqual(answer.status, 301)
        self.assertEqual(answer.headers["location"], "https://seats.example/showtimes/123?a=b")

    def test_tls_is_1_2_or_later(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        self.tls.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that this end would take 1.1
        self.tls.minimum_version = self.tls.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(ssl.SSLError):
            self.get(proxy, "/")
        self.tls.maximum_version = self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.get(proxy, "/")[0], 200)

    def test_calls_go_to_the_second_server_while_the_first_is_away(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        caller = self.caller(proxy.grpc)
        self.assertEqual(caller.lock(SHOWTIME, "A01")["code"], "OK")
        self.behind.server.kill()
        self.behind.start_second_server()
        until(lambda: caller.lock(SHOWTIME, "A01")["code"] == "OK", "the second server answers")


class Edges:
    """Several edges behind one name."""

    def seed(self, proxy):
        caller = self.caller(proxy.grpc)
        self.assertEqual(caller.lock(SHOWTIME, "A01")["code"], "OK")
        return caller

    def connections(self):
        return sorted(int(edge.connections()) for edge in self.behind.edges)

    def is_back(self, proxy, edge):
        """Until the proxy sends newcomers to it: one of two goes to the edge with fewer."""
        link = WebSocket(proxy.address(), self.tls, PATH)
        came = edge.connections() > 0
        link.close()
        return came

    def lose_edges(self, proxy, browsers):
        """One after the other; each is back before the next one goes."""
        first, second = self.behind.edges
        for edge, end in ((first, first.kill), (second, second.kill), (first, first.stop)):
            end()
            others = [other for other in self.behind.edges if other is not edge]
            until(lambda: sum(other.connections() for other in others) == len(browsers),
                  lambda: f"all came back: {[other.connections() for other in others]}")
            edge.start()
            until(lambda: self.is_back(proxy, edge), "the proxy knows that the edge is back")
        self.until_live(browsers)

    def forty_browsers(self, proxy):
        browsers = [self.browser(proxy, SHOWTIME, source=f"127.0.1.{i}") for i in range(1, 41)]
        self.until_live(browsers)
        until(lambda: sum(self.connections()) == 40, "no connection but theirs")
        self.assertGreater(self.connections()[0], 10, "both edges have a good part of them")
        return browsers

    def test_browsers_of_an_edge_that_goes_come_back_and_miss_nothing(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        changes = Changes(self.seed(proxy), SHOWTIME)
        browsers = self.forty_browsers(proxy)
        changes.start()
        self.addCleanup(changes.stop)
        self.lose_edges(proxy, browsers)
        changes.stop()
        self.assertEqual(changes.refused, [])
        until(lambda: all(browser.revision == changes.revision for browser in browsers),
              lambda: f"all are at {changes.revision}: {[b.revision for b in browsers]}")
        self.assertEqual([browser.faults for browser in browsers if browser.faults], [])
        self.assertEqual(refusals_of(browsers), [])
        self.assertGreaterEqual(sum(browser.lives for browser in browsers), 40 + 20 + 40 + 20)
        self.assertTrue(all(DRAINING in browser.closes for browser in browsers))

    def test_control_browsers_without_their_position_miss_something(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        caller = self.seed(proxy)
        browser = self.browser(proxy, SHOWTIME, resume=False)
        self.until_live([browser])
        for edge in self.behind.edges:
            edge.kill()
        self.assertEqual(caller.lock(SHOWTIME, "A02")["code"], "OK")
        for edge in self.behind.edges:
            edge.start()
        until(lambda: browser.lives == 2, "it came back")
        self.assertEqual(browser.faults, ["from 1 to 2 without what was between"])

    def rooms_of_16_showtimes(self, path):
        """What both edges follow, if two browsers ask for each showtime."""
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        browsers = []
        for hall in range(16):
            for _ in range(2):
                browsers.append(self.browser(proxy, f"hall-{hall}", path=path.format(hall)))
                self.until_live(browsers[-1:])
        return [edge.metric("seatlock_edge_rooms") for edge in self.behind.edges]

    def test_all_of_a_showtime_that_the_query_names_are_on_one_edge(self):
        first, second = self.rooms_of_16_showtimes(PATH + "?showtimeId=hall-{}")
        self.assertEqual(first + second, 16)
        self.assertTrue(first and second, f"one edge has all: {first}, {second}")

    def test_control_without_the_query_both_edges_have_each(self):
        self.assertEqual(self.rooms_of_16_showtimes(PATH), [16, 16])

    def test_who_finds_an_edge_full_is_sent_to_the_next(self):
        self.start_behind("--max-connections=10")
        proxy = self.start_proxy(self.kind)
        self.seed(proxy)
        path = f"{PATH}?showtimeId={SHOWTIME}"
        browsers = [self.browser(proxy, SHOWTIME, path=path) for _ in range(10)]
        self.until_live(browsers)
        self.assertEqual(self.connections(), [0, 10])
        browsers += [self.browser(proxy, SHOWTIME, path=path) for _ in range(5)]
        self.until_live(browsers)
        self.assertEqual(self.connections(), [5, 10])
        self.assertEqual([browser.closes for browser in browsers if browser.closes], [])


class Bounds:
    """Who asks for too much is refused, and nobody else."""

    def connect_from_one_address(self, proxy):
        """Until it is refused, at most six times: each says that it comes from elsewhere."""
        path = f"{PATH}?showtimeId={SHOWTIME}"
        for number in range(6):
            forged = {"X-Forwarded-For": f"192.0.2.{number}"}
            try:
                link = WebSocket(proxy.address(), self.tls, path, "127.0.5.1", forged)
            except Refused as refused:
                return number, refused.status
            self.addCleanup(link.close)
        return 6, None

    def test_a_forged_address_does_not_reach_the_edge(self):
        self.start_behind("--max-connections-per-address=3")
        self.assertEqual(self.connect_from_one_address(self.start_proxy(self.kind)), (3, 429))

    def test_control_a_proxy_that_believes_its_clients_lets_forged_addresses_through(self):
        self.start_behind("--max-connections-per-address=3")
        proxy = self.start_proxy(self.kind, without_overwriting_addresses)
        self.assertEqual(self.connect_from_one_address(proxy), (6, None))

    def test_a_head_that_is_too_large_is_refused(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        self.assertEqual(self.get(proxy, "/", headers={"Cookie": "c" * 20_000})[0], 200)
        status, _ = self.get(proxy, "/", headers={"Cookie": "c" * 40_000})
        self.assertEqual(status, self.head_too_large)

    def test_a_body_that_is_too_large_is_refused(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        link = self.connect(proxy)
        link.putrequest("POST", "/api/seat-locks")
        link.putheader("Content-Length", str(65 << 10))
        link.endheaders()  # and no body: that it will be too large is refused at once
        self.assertEqual(link.getresponse().status, 413)

    def test_an_address_that_asks_too_often_is_told_and_others_go_on(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        first = send_requests(proxy.address(), self.tls, "127.0.5.1", 100)
        self.assertEqual(first, [200] * 100)
        until(lambda: 429 in send_requests(proxy.address(), self.tls, "127.0.5.1", 100),
              "it is told")
        self.assertEqual(self.get(proxy, "/", "127.0.5.2")[0], 200)

    def tls_of_a_caller(self):
        tls = trust(self.behind.folder / "tls")
        tls.set_alpn_protocols(["h2"])
        tls.load_cert_chain(f"{self.behind.folder}/tls/caller.pem",
                            f"{self.behind.folder}/tls/caller.key")
        return tls

    def test_calls_that_are_cancelled_at_once_are_refused_and_others_go_on(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        tls = self.tls_of_a_caller()
        target = ("127.0.0.1", proxy.grpc)
        relay = Relay(target, "127.0.5.1")
        relay.start()
        self.addCleanup(relay.stop)
        same, other = self.caller(proxy.grpc), self.caller(relay.port)
        flood = RapidReset(target, tls)
        flood.start()
        self.addCleanup(flood.stop)
        until(lambda: flood.refused > 0, "calls of the address that floods are refused")
        for seat in range(20):
            self.assertEqual(other.lock(SHOWTIME, f"B{seat}")["code"], "OK")
        self.assertTrue(flood.is_alive())
        flood.stop()
        until(lambda: same.lock(SHOWTIME, "A01")["code"] == "OK", "it is served again")

    def test_calls_that_are_too_large_are_refused(self):
        self.start_behind()
        caller = self.caller(self.start_proxy(self.kind).grpc)
        lock = {"showtimeId": SHOWTIME, "seatId": "A01", "sessionId": "alice"}
        answer = caller.call("LockSeat", lock, {f"x-filler-{i}": "f" * 6_000 for i in range(3)})
        self.assertEqual(answer["code"], self.call_head_too_large, answer)
        for size in (64 << 10, 2 << 20):
            answer = caller.call("LockSeat", {**lock, "requestId": "r" * size})
            self.assertEqual(answer["code"], "RESOURCE_EXHAUSTED", answer)
        answer = caller.call("LockSeat", {**lock, "requestId": "r" * (63 << 10)})
        self.assertEqual(answer["code"], "INVALID_ARGUMENT", "it reaches seatlockd")
        self.assertEqual(caller.call("LockSeat", lock)["code"], "OK")

    def test_nobody_calls_without_a_certificate(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        for certificate in ("", "seats"):  # none, and one of another authority
            with self.subTest(certificate):
                answer = self.caller(proxy.grpc, certificate).lock(SHOWTIME, "A01")
                self.assertEqual(answer["code"], self.no_certificate, answer)
        self.assertEqual(self.caller(proxy.grpc).lock(SHOWTIME, "A01")["code"], "OK")

    def test_seats_and_health_alone_can_be_called(self):
        self.start_behind()
        caller = self.caller(self.start_proxy(self.kind).grpc)
        self.assertEqual(caller.call("/grpc.health.v1.Health/Check")["code"], "OK")
        for path in ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                     "/seatlock.v1.SeatLockAdminService/BlockSeats"):
            self.assertEqual(caller.call(path)["code"], "UNIMPLEMENTED")


def refusals_of(browsers):
    """Where the proxy found no edge, though one was there all the while."""
    return [close for browser in browsers for close in browser.closes if "Refused" in str(close)]


class NginxTest(Traffic, Edges, Bounds, Case):
    kind = Nginx
    head_too_large = 431
    call_head_too_large = "UNAVAILABLE"
    no_certificate = "UNAUTHENTICATED"

    def test_calls_that_an_address_keeps_open_are_bounded(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        tls = self.tls_of_a_caller()
        links = [OpenCalls(("127.0.0.1", proxy.grpc), tls, 120) for _ in range(3)]
        for link in links:
            self.addCleanup(link.close)
        until(lambda: sum(link.refused() for link in links) == 3 * 120 - 256, "104 are refused")

    def test_control_edges_that_nginx_sets_aside_are_refused_to_browsers(self):
        self.start_behind()
        proxy = self.start_proxy(
            self.kind, lambda text: text.replace("max_fails=0", "max_fails=1 fail_timeout=1h"))
        self.seed(proxy)
        browsers = self.forty_browsers(proxy)
        first, second = self.behind.edges
        first.kill()
        until(lambda: second.connections() == 40, "all came to the second")
        first.start()
        second.kill()
        until(lambda: refusals_of(browsers), "some are refused by an nginx that knows no edge")


class HAProxyTest(Traffic, Edges, Bounds, Case):
    kind = HAProxy
    head_too_large = 400
    call_head_too_large = "RESOURCE_EXHAUSTED"
    no_certificate = "UNAVAILABLE"

    def test_an_edge_that_says_that_it_leaves_gets_no_newcomers_and_keeps_its_browsers(self):
        self.start_behind("--drain-delay=60s")
        proxy = self.start_proxy(self.kind)
        self.seed(proxy)
        browsers = [self.browser(proxy, SHOWTIME) for _ in range(2)]
        self.until_live(browsers)
        leaving, staying = self.behind.edges
        self.assertEqual(self.connections(), [1, 1])
        leaving.process.terminate()

        def newcomers_go_to_the_one_that_has_more():
            link = WebSocket(proxy.address(), self.tls, PATH)
            self.addCleanup(link.close)
            return staying.connections() >= leaving.connections() + 2

        until(newcomers_go_to_the_one_that_has_more, "the proxy has noticed")
        self.assertEqual([browser.closes for browser in browsers], [[], []])

    def test_connections_of_an_address_to_grpc_are_bounded(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        tls = self.tls_of_a_caller()
        target = ("127.0.0.1", proxy.grpc)
        for _ in range(64):
            self.addCleanup(OpenCalls(target, tls, 0).close)
        with self.assertRaises(OSError):
            OpenCalls(target, tls, 0)

    def test_a_browser_may_open_its_websocket_inside_http2(self):
        self.start_behind()
        proxy = self.start_proxy(self.kind)
        caller = self.seed(proxy)
        tls = trust(self.behind.folder / "tls")
        tls.set_alpn_protocols(["h2"])
        link = WebSocketInHttp2(proxy.address(), tls, PATH)
        self.addCleanup(link.close)
        self.assertTrue(link.socket.is_offered and link.socket.is_open)
        link.send(TEXT, json.dumps({"type": "subscribe", "showtimeId": SHOWTIME}).encode())
        self.wait_for_frame(link, "current_seat_status")
        self.assertEqual(caller.lock(SHOWTIME, "A02")["code"], "OK")
        self.assertEqual(self.wait_for_frame(link, "seat_status_change")["seatId"], "A02")

    @staticmethod
    def wait_for_frame(link, kind):
        while True:
            opcode, payload = link.receive()
            if opcode == TEXT and (received := json.loads(payload))["type"] == kind:
                return received


class FilesTest(unittest.TestCase):
    def test_what_the_page_says_to_replace_is_in_the_files(self):
        page = (ROOT / "docs/proxies.md").read_text()
        section = page[page.index("\n## nginx\n"):page.index("\n## HAProxy\n")]
        cells = re.findall(r"^\| (`.*?) \|", section, re.M)
        files = "".join(path.read_text() for path in (ROOT / "deploy/nginx").glob("*tls*.conf"))
        places = [place for cell in cells for place in re.findall(r"`([^`]+)`", cell)]
        self.assertGreater(len(places), 10)
        self.assertEqual([place for place in places if place not in files], [])


class IdleTest(Case):
    """Connections on which nothing happens outlive the proxies' timeouts of 60 s, by the edge's
    pings and the service's progress."""

    def test_quiet_connections_stay(self):
        self.start_behind()
        both = [self.start_proxy(kind) for kind in (Nginx, HAProxy)]
        locks = self.caller(both[0].grpc)
        self.assertEqual(locks.lock("quiet", "A01")["code"], "OK")
        browsers = [self.browser(proxy, "quiet") for proxy in both]
        watchers = [self.caller(proxy.grpc) for proxy in both]
        for watcher in watchers:
            watcher.watch("quiet")
            self.assertIn("snapshot", watcher.next_line()["event"])
        # Four pings come in no less than 60 s, five progresses neither.
        until(lambda: all(browser.pings >= 4 for browser in browsers), "pings", seconds_max=150)
        for watcher in watchers:
            for _ in range(5):
                self.assertIn("progress", watcher.next_line()["event"])
        self.assertEqual(locks.lock("quiet", "A02")["code"], "OK")
        until(lambda: all(browser.revision == 2 for browser in browsers), "the change is shown")
        self.assertEqual([browser.closes for browser in browsers], [[], []])
        for watcher in watchers:
            until(lambda: "change" in watcher.next_line()["event"], "the watch says it")

    def test_control_timeouts_below_the_pings_cut_them(self):
        self.start_behind()
        both = [self.start_proxy(kind, lambda text: text.replace(" 60s", " 2s"))
                for kind in (Nginx, HAProxy)]
        self.assertEqual(self.caller(both[0].grpc).lock("quiet", "A01")["code"], "OK")
        browsers = [self.browser(proxy, "quiet") for proxy in both]
        watchers = [self.caller(proxy.grpc) for proxy in both]
        for watcher in watchers:
            watcher.watch("quiet")
        until(lambda: all(browser.closes for browser in browsers), "they are cut")
        self.assertEqual([browser.pings for browser in browsers], [0, 0])
        for watcher in watchers:
            lines = [watcher.next_line()]
            while "code" not in lines[-1]:
                lines.append(watcher.next_line())
            self.assertLessEqual(len(lines), 4, lines)
