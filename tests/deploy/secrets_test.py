"""deploy/secrets/make.sh: what it makes fits together, and goes on doing so in every step of a
rotation, also in one that is stopped. Took 60 s on 2 busy cores."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import threading
import unittest

from tests.deploy.programs import BIN, ROOT, Edge, Seatlockd, register_secrets, until

MAKE = ROOT / "deploy/secrets/make.sh"
CALLERS = ("edge", "site", "admin")
PRIVATE = {"authority/authority.pem", "seatlockd/server.key",
           *(f"{caller}/client.key" for caller in CALLERS)}
# Stops whoever calls it, the script, at the STOP_AT-th file that it puts in place.
STOPPING_MV = """#!/bin/sh
echo >>"$COUNT"
if [ "$(wc -l <"$COUNT")" -ge "$STOP_AT" ]; then kill -s "$STOP_BY" "$PPID"; exit 1; fi
exec /bin/mv "$@"
"""


def run(*words, **how):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **how)


def key_set(path):
    return json.loads(path.read_text())["keys"]


class SecretsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.secrets = self.folder / "secrets"

    def make(self, *words, **how):
        return run(MAKE, self.secrets, *words, **how)

    def make_well(self, *words):
        done = self.make(*words)
        self.assertEqual(done.returncode, 0, done.stderr)

    def files(self):
        return {str(path.relative_to(self.secrets)): path.read_bytes()
                for path in self.secrets.rglob("*") if path.is_file()}

    # --- what must hold at every moment -----------------------------------------------------------

    def assert_fits_together(self, pairs=True):
        """Whoever is started now, beside whoever was started before, is accepted."""
        for caller in CALLERS:
            self.assert_signed(f"{caller}/client.pem", "seatlockd/client-ca.pem", "sslclient")
            self.assert_signed("seatlockd/server.pem", f"{caller}/ca.pem", "sslserver")
            token = (self.secrets / caller / "token").read_text().strip()
            self.assertEqual(len(base64.urlsafe_b64decode(token + "=")), 32)
            self.assertIn(hashlib.sha256(token.encode()).hexdigest(),
                          (self.secrets / "seatlockd/auth-keys").read_text())
        site, edge = (key_set(self.secrets / name / "token-jwks.json") for name in ("site", "edge"))
        self.assertEqual(len(site), 1)
        self.assertIn(site[0], edge)
        held = {name for name, text in self.files().items() if b"PRIVATE KEY" in text}
        self.assertEqual(held, PRIVATE)
        if pairs:
            for name in ("seatlockd/server", *(f"{caller}/client" for caller in CALLERS)):
                self.assertEqual(self.public("x509", name, "pem"), self.public("pkey", name, "key"))

    def assert_signed(self, certificate, authority, purpose):
        done = run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile",
                   self.secrets / authority, self.secrets / certificate)
        self.assertEqual(done.returncode, 0, f"{certificate} by {authority}: {done.stderr}")

    def public(self, kind, name, suffix):
        words = ["-noout", "-pubkey"] if kind == "x509" else ["-pubout"]
        return run("openssl", kind, *words, "-in", self.secrets / f"{name}.{suffix}").stdout

    # --- making -----------------------------------------------------------------------------------

    def test_makes_what_fits_together_for_its_owner_alone(self):
        self.make_well()
        self.assert_fits_together()
        for path in [self.secrets, *self.secrets.rglob("*")]:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)
        self.assertEqual(list(self.folder.iterdir()), [self.secrets])

    def test_a_group_may_read_all_but_the_authority(self):
        self.make_well("--group", os.getegid())
        for name in self.files():
            mode = stat.S_IMODE((self.secrets / name).stat().st_mode)
            self.assertEqual(mode, 0o600 if name.startswith("authority/") else 0o640, name)
        self.make_well("--rotate", "certificates")
        self.assertEqual(stat.S_IMODE((self.secrets / "edge/client.key").stat().st_mode), 0o640)

    def test_names_and_addresses_of_the_server_are_in_its_certificate(self):
        self.make_well("--server", "seats.internal", "--server", "10.0.0.5", "--server",
                       "[fd00::5]")
        for flag, value in (("-verify_hostname", "seats.internal"), ("-verify_ip", "10.0.0.5"),
                            ("-verify_ip", "fd00::5")):
            done = run("openssl", "verify", flag, value, "-CAfile", self.secrets / "edge/ca.pem",
                       self.secrets / "seatlockd/server.pem")
            self.assertEqual(done.returncode, 0, done.stderr)
        done = run("openssl", "verify", "-verify_hostname", "seatlockd", "-CAfile",
                   self.secrets / "edge/ca.pem", self.secrets / "seatlockd/server.pem")
        self.assertNotEqual(done.returncode, 0, "a name that was not asked for")

    def test_what_is_there_is_never_written_over(self):
        self.make_well()
        before = self.files()
        done = self.make()
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
        self.assertEqual(self.files(), before)

    def test_bad_words_change_nothing(self):
        for words in (["--server", "no such name"], ["--rotate", "everything"], ["--rotate", "key"],
                      ["--group", "nobody-of-this-name"], ["--server"], ["--else"]):
            with self.subTest(words):
                done = self.make(*words)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertEqual(list(self.folder.iterdir()), [])

    # --- rotating ---------------------------------------------------------------------------------

    ROTATIONS = (("key",), ("certificates",), ("authority", "certificates"), ("token",))

    def test_what_was_given_out_is_accepted_until_it_is_retired(self):
        self.make_well()
        for names in self.ROTATIONS:
            with self.subTest(names):
                before = self.files()
                for name in names:
                    self.make_well("--rotate", name)
                    self.assert_fits_together()
                self.assert_accepts(before)
                if names != ("certificates",):
                    self.assertEqual(self.make("--rotate", names[0]).returncode, 2, "not twice")
                    self.make_well("--retire", names[0])
                    self.assert_fits_together()
                    with self.assertRaises(AssertionError):
                        self.assert_accepts(before)

    def assert_accepts(self, before):
        """Callers that still have what they had before."""
        lines = (self.secrets / "seatlockd/auth-keys").read_text()
        edge = key_set(self.secrets / "edge/token-jwks.json")
        for old in json.loads(before["site/token-jwks.json"])["keys"]:
            self.assertIn(old, edge)
        for caller in CALLERS:
            token = before[f"{caller}/token"].strip()
            self.assertIn(hashlib.sha256(token).hexdigest(), lines)
            old = self.folder / "old.pem"
            old.write_bytes(before[f"{caller}/client.pem"])
            self.assert_signed(old, "seatlockd/client-ca.pem", "sslclient")
            (self.folder / "old-ca.pem").write_bytes(before[f"{caller}/ca.pem"])
            if before["authority/authority.pem"] == self.files()["authority/authority.pem"]:
                self.assert_signed("seatlockd/server.pem", self.folder / "old-ca.pem", "sslserver")

    def test_lines_that_somebody_added_stay(self):
        self.make_well()
        keys = self.secrets / "seatlockd/auth-keys"
        line = f"box-office sha256:{'0' * 64} lock,book\n"
        keys.write_text(keys.read_text() + line)
        self.make_well("--rotate", "key")
        self.make_well("--retire", "key")
        self.assertIn(line, keys.read_text())

    def test_a_rotation_that_is_stopped_at_any_file_harms_nobody_and_can_be_repeated(self):
        shims = self.folder / "shims"
        shims.mkdir()
        (shims / "mv").write_text(STOPPING_MV)
        (shims / "mv").chmod(0o755)
        stops = 0
        for name in ("key", "certificates", "authority", "token"):
            for number in range(1, 20):
                with self.subTest(name, stopped_at=number):
                    if not self.stop_at(shims, name, number):
                        break
                    stops += 1
        self.assertEqual(stops, 4 + 9 + 5 + 2, "a file each")

    def stop_at(self, shims, name, number):
        """False if it puts fewer files in place than that."""
        run("rm", "-rf", self.secrets)
        self.make_well()
        count = self.folder / "count"
        count.write_text("")
        # Every second one without a chance to clean up.
        by = "KILL" if number % 2 else "TERM"
        done = self.make("--rotate", name, env={
            **os.environ, "PATH": f"{shims}:{os.environ['PATH']}", "COUNT": str(count),
            "STOP_AT": str(number), "STOP_BY": by})
        if done.returncode == 0:
            return False
        if by == "TERM":
            self.assert_fits_together(pairs=name != "certificates")
        if name == "token" and self.make("--rotate", name).returncode == 2:
            self.make_well("--retire", name)
        self.make_well("--rotate", name)
        self.assert_fits_together()
        return True


class Calls(threading.Thread):
    """Calls one after the other, each by a new `seatctl`, which reads the files anew."""

    def __init__(self, server, admin):
        super().__init__(daemon=True)
        self.command = [BIN / "seatctl", f"--server={server}", f"--ca={admin}/ca.pem",
                        f"--cert={admin}/client.pem", f"--key={admin}/client.key",
                        f"--token-file={admin}/token"]
        self.stopping = threading.Event()
        self.served, self.failed = 0, []

    def once(self, *words):
        return run(*self.command, *(words or ("lock", "123", "A01", "--session", "alice")))

    def run(self):
        while not self.stopping.is_set():
            done = self.once()
            if done.returncode == 0:
                self.served += 1
            else:
                self.failed.append(done.stderr)

    def stop(self):
        self.stopping.set()
        self.join(60)


class RunningTest(unittest.TestCase):
    """A real seatlockd and edge on the files, all the while that they are replaced."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.secrets = self.folder / "secrets"
        self.make()
        own, edge = self.secrets / "seatlockd", self.secrets / "edge"
        self.seatlockd = self.enterContext(Seatlockd(
            self.folder, "seatlockd", "memory:", f"--tls-cert={own}/server.pem",
            f"--tls-key={own}/server.key", f"--tls-client-ca={own}/client-ca.pem",
            f"--auth-keys={own}/auth-keys"))
        self.edge = self.enterContext(Edge(
            self.folder, "seatlock-edge", self.seatlockd.address, f"--upstream-ca={edge}/ca.pem",
            f"--upstream-cert={edge}/client.pem", f"--upstream-key={edge}/client.key",
            f"--upstream-token-file={edge}/token", f"--token-jwks={edge}/token-jwks.json",
            "--require-token"))
        self.calls = Calls(self.seatlockd.address, self.secrets / "admin")

    def make(self, *words):
        done = run(MAKE, self.secrets, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        register_secrets(*(path for path in self.secrets.rglob("*")
                           if path.suffix == ".key" or path.name in ("token", "cookie-secret")))

    def test_no_call_fails_while_all_is_replaced_and_no_secret_is_told(self):
        old = self.folder / "old"
        shutil.copytree(self.secrets / "admin", old)
        self.calls.start()
        self.addCleanup(self.calls.stop)
        for words in ("--rotate key", "--retire key", "--rotate certificates", "--rotate token",
                      "--retire token", "--rotate authority", "--rotate certificates",
                      "--retire authority"):
            with self.subTest(words):
                self.make(*words.split())
                served = self.calls.served
                until(lambda: self.calls.served >= served + 3, "calls go on")
                self.assertEqual(self.calls.failed, [])
        self.calls.stop()
        former = Calls(self.seatlockd.address, old)
        until(lambda: former.once().returncode != 0, "the key before and its authority are no good")
        for program in (self.seatlockd, self.edge):
            program.keep_what_it_tells()
            self.assertIsNone(program.process.poll())

    def test_each_is_asked_who_it_is(self):
        self.assertEqual(self.calls.once().returncode, 0)
        for flag in ("--cert", "--token-file"):
            without = [word for word in self.calls.command if not str(word).startswith(flag)
                       and not (flag == "--cert" and str(word).startswith("--key"))]
            done = run(*without, "lock", "123", "A02", "--session", "alice")
            self.assertNotEqual(done.returncode, 0, flag)


if __name__ == "__main__":
    unittest.main()
