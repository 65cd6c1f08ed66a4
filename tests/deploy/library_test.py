"""Installs the C++ client as a user would, and builds a project outside the tree on it alone.

Measured: 25 s on 2 busy cores.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.deploy.pages import run_blocks
from tests.deploy.programs import BIN, ROOT, Seatlockd

PAGE = "docs/other-languages.md"
COMPONENT = "libseatlock-dev"
EXAMPLE = "examples/cpp-client"
BUILD = BIN.parent
HEADERS = {
    "call_error.h", "client.h", "service_config.h", "watch.h", "v1/seats.pb.h",
    "v1/seatlock_admin_service.pb.h", "v1/seatlock_service.pb.h",
    "v1/seatlock_service.grpc.pb.h",
}


def run(command, **options):
    """What it printed; a command that fails is an error that shows it."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class LibraryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def install(self, *options):
        """Installs below DESTDIR, as packages are made, and then moves it: the new prefix."""
        destination = self.folder / "destination"
        run(["cmake", "--install", BUILD, "--prefix", "/opt/seatlock", *options],
            env={**os.environ, "DESTDIR": str(destination)})
        prefix = self.folder / "moved"
        (destination / "opt/seatlock").rename(prefix)
        self.assertEqual([file for file in destination.rglob("*") if file.is_file()], [],
                         "only the prefix is the user's to write")
        return prefix

    def copy_example(self):
        return pathlib.Path(shutil.copytree(ROOT / EXAMPLE, self.folder / "project"))

    def call(self, program, address, seat, session):
        done = subprocess.run([program, address, "123", seat, session], text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout.splitlines()

    def check_client(self, program):
        """It sells a free seat, and is refused one that somebody else holds, with the reason."""
        with Seatlockd(self.folder) as seatlockd:
            status, lines = self.call(program, seatlockd.address, "A06", "alice")
            self.assertEqual((status, lines[0]), (0, "locked A06, fence 1"), lines)
            self.assertRegex(lines[1], r"^booked A06 under order [0-9a-f-]{36}$")

            run([BIN / "seatctl", "--server", seatlockd.address, "lock", "123", "A07",
                 "--session", "carol"])
            self.assertEqual(self.call(program, seatlockd.address, "A07", "bob"),
                             (1, ["refused: SEAT_TAKEN", "A07 is SEAT_STATUS_LOCKED"]))

    def check_includes(self, listing, prefix):
        """A compiler's list of what it read: all of it is the system's, the project's or installed,
        and some of it was installed."""
        files = {pathlib.Path(word).resolve() for word in listing.replace("\\\n", " ").split()
                 if word.startswith("/") and not word.endswith(":")}
        allowed = (pathlib.Path("/usr"), prefix, self.folder / "project")
        strays = [str(file) for file in files
                  if not any(file.is_relative_to(folder.resolve()) for folder in allowed)]
        self.assertEqual(strays, [])
        self.assertIn((prefix / "include/seatlock/client.h").resolve(), files)

    def test_what_is_installed_is_what_users_include_and_no_more(self):
        prefix = self.install("--component", COMPONENT)
        headers = {str(file.relative_to(prefix / "include/seatlock"))
                   for file in prefix.glob("include/**/*") if file.is_file()}
        self.assertEqual(headers, HEADERS)
        self.assertEqual([file.name for file in prefix.glob("**/*.a")], ["libseatlock.a"])

    def test_an_install_of_everything_has_it_too(self):
        self.assertTrue((self.install() / "include/seatlock/client.h").is_file())

    def test_nothing_that_is_installed_names_the_source_tree_or_the_prefix(self):
        prefix = self.install("--component", COMPONENT)
        files = [file for file in prefix.glob("**/*") if file.is_file()]
        self.assertLessEqual({"seatlock.pc", "libseatlock.a"}, {file.name for file in files})
        for file in files:
            for path in (str(ROOT), str(BUILD), "/opt/seatlock"):
                self.assertFalse(path.encode() in file.read_bytes(), f"{file} names {path}")

    def test_a_project_outside_the_tree_builds_with_cmake_and_sells_a_seat(self):
        prefix, project = self.install("--component", COMPONENT), self.copy_example()
        build = self.folder / "build"
        run(["cmake", "-S", project, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}"])
        run(["cmake", "--build", build])
        self.check_includes(run(["ninja", "-C", build, "-t", "deps"]), prefix)
        self.check_client(build / "cpp-client")

    def test_a_project_outside_the_tree_builds_with_pkg_config_and_sells_a_seat(self):
        prefix, project = self.install("--component", COMPONENT), self.copy_example()
        env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
        flags = run(["pkg-config", "--cflags", "--libs", "seatlock"], env=env).split()
        program = self.folder / "client"
        listing = self.folder / "listing.d"
        run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-MD", "-MF", listing,
             project / "main.cc", "-o", program, *flags])
        self.check_includes(listing.read_text(encoding="utf-8"), prefix)
        self.check_client(program)

    def test_control_a_header_of_the_source_tree_is_noticed(self):
        installed = self.folder / "include/seatlock/client.h"
        self.check_includes(f"main.o: {installed}", self.folder)
        with self.assertRaisesRegex(AssertionError, "port.h"):
            self.check_includes(f"main.o: {installed} {ROOT}/common/base/port.h", self.folder)

    def test_it_can_be_part_of_a_shared_library(self):
        prefix = self.install("--component", COMPONENT)
        archive = prefix / "lib/libseatlock.a"
        shared = self.folder / "libusers.so"
        run(["g++", "-shared", "-o", shared, "-Wl,--whole-archive", archive,
             "-Wl,--no-whole-archive", "-Wl,-z,text"])
        self.assertIn("seatlock::client::Client::LockSeat",
                      run(["nm", "--demangle", "--dynamic", "--defined-only", shared]))

    def test_a_version_that_is_not_there_is_refused(self):
        prefix, project = self.install("--component", COMPONENT), self.copy_example()
        listing = project / "CMakeLists.txt"
        text = listing.read_text(encoding="utf-8")
        self.assertIn("SeatLock 0.1", text)
        listing.write_text(text.replace("SeatLock 0.1", "SeatLock 0.99"), encoding="utf-8")
        with self.assertRaisesRegex(AssertionError, 'compatible with requested version "0.99"'):
            run(["cmake", "-S", project, "-B", self.folder / "build",
                 f"-DCMAKE_PREFIX_PATH={prefix}"])

    def test_the_commands_of_the_page(self):
        (self.folder / "build").mkdir()
        (self.folder / "build/release").symlink_to(BUILD)
        shutil.copytree(ROOT / EXAMPLE, self.folder / EXAMPLE)
        with Seatlockd(self.folder) as seatlockd:
            run_blocks(self, PAGE, cwd=self.folder,
                       replaced={"127.0.0.1:50051": seatlockd.address})


if __name__ == "__main__":
    unittest.main()
