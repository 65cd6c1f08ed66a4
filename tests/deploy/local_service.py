"""seatlockd, and an edge beside it, in a folder and on ports of their own, for one test."""

import pathlib
import tempfile

from tests.deploy.programs import BIN, Edge, Seatlockd


class LocalService:
    """Ends with the test, and takes its folder along."""

    def __init__(self, case):
        folder = tempfile.TemporaryDirectory()
        case.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.seatlockd = Seatlockd(self.folder, store="sqlite:seatlock.db")
        case.addCleanup(self.seatlockd.stop)
        self.edge = Edge(self.folder, "seatlock-edge", self.seatlockd.address)
        case.addCleanup(self.edge.stop)

    @property
    def env(self):
        return {"SEATLOCK_BIN": str(BIN), "SEATCTL_SERVER": self.seatlockd.address}

    @property
    def replaced(self):
        """The default addresses, which pages show, and where they are here."""
        return {"127.0.0.1:50051": self.seatlockd.address, "127.0.0.1:9101": self.seatlockd.admin,
                "127.0.0.1:8080": self.edge.address, "127.0.0.1:9102": self.edge.admin}
