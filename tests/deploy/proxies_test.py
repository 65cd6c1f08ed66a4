"""The files of deploy/nginx and deploy/haproxy as they are shipped, with TLS, in front of a real
seatlockd and two real edges. Took 200 s."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import unittest
import urllib.request

from tests.deploy import proxies
from tests.deploy.proxies import Behind, Caller, HAProxy, Nginx, fetch, trust, until
from tests.deploy.websocket import Browser, Refused, WebSocket, is_live


class Case(unittest.TestCase):
    """Programs are started once for a class, and everything else ends with its test."""

    edge_arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.behind = Behind(cls.edge_arguments)
        cls.addClassCleanup(cls.behind.stop)
        cls.tls = trust(cls.behind.folder / "tls")

    def proxy(self, kind, change=lambda text: text):
        proxy = kind(self.behind, kind.__name__.lower(), change)
        self.addCleanup(proxy.stop)
        return proxy

    def caller(self, proxy, **how):
        caller = Caller(self.behind, proxy.grpc, **how)
        self.addCleanup(caller.stop)
        return caller

    def browser(self, proxy, showtime, **how):
        browser = Browser(proxy.address(), self.tls, showtime, **how)
        self.addCleanup(browser.stop)
        browser.start()
        return browser


class Traffic:
    """What goes through a proxy on a good day."""

    def test_a_lock_reaches_a_browser_and_a_watch(self):
        proxy = self.proxy(self.kind)
        caller, watcher = self.caller(proxy), self.caller(proxy)
        self.assertEqual(caller.lock("123", "A01")["code"], "OK")
        browser = self.browser(proxy, "123", path="/ws/seat-updates?showtimeId=123")
        watcher.watch("123")
        self.assertIn("snapshot", watcher.next_line()["event"])
        until(lambda: browser.live, "the browser follows the showtime")
        self.assertEqual(caller.lock("123", "A02")["code"], "OK")
        until(lambda: browser.revision == 2, "the browser is shown the lock")
        changes = (watcher.next_line()["event"].get("change") for _ in range(3))
        self.assertEqual(next(change for change in changes if change)["revision"], "2")
        self.assertEqual(browser.faults, [])


class NginxTraffic(Traffic, Case):
    kind = Nginx


class HAProxyTraffic(Traffic, Case):
    kind = HAProxy
