"""The compose files, used through nginx's one port as a person would, while parts are killed.

With the images built: single 40 s, cluster 160 s, on two cores with a load of 15; 270 s in all if
those of nginx and Redis are made first."""

import unittest

from tests.deploy import containers
from tests.deploy.composed import Composed
from tests.deploy.containers import call, eventually
from tests.deploy.site_client import Frames, Shopper


def setUpModule():
    containers.engine().build_images()
    containers.engine().make_stand_ins()


class ComposeTest(unittest.TestCase):
    def bring_up(self, file):
        self.composed = Composed(file)
        self.composed.remove()  # of a run that was cut short
        self.addCleanup(self.composed.remove)
        self.composed.up()
        self.site = f"http://{self.composed.address}"

    def shopper(self):
        shopper = Shopper(self.site)
        shopper.page("/showtimes/123")
        return shopper

    def lock(self, shopper, seat):
        """Until the store takes it: what is refused without harm is asked again, as pages do."""

        def once():
            status, answer = shopper.lock("123", seat)
            if status in (429, 502, 503, 504):
                return None
            self.assertEqual(status, 200, answer)
            return answer

        return eventually(once, f"{seat} is locked")

    def assert_taken(self, seat):
        """Nobody else gets it, now or once the store can say so."""
        other = self.shopper()

        def refusal():
            status, answer = other.lock("123", seat)
            self.assertNotEqual(status, 200, f"{seat} went to a second shopper: {answer}")
            return answer.get("code") == "SEAT_TAKEN"

        eventually(refusal, f"{seat} is refused as taken")

    def assert_seen(self, shopper, seat):
        """A lock goes through, and the browsers of the edge see it."""
        with Frames(self.composed.address, "123") as frames:
            frames.wait_for('"subscribed"')
            self.lock(shopper, seat)
            frames.wait_for("seat_status_change", seat, '"locked"')

    def assert_only_nginx_is_published(self):
        for container in call("ps", "--format", "{{.Names}}").split():
            if container.startswith(self.composed.project) and "nginx" not in container:
                self.assertEqual(call("port", container).strip(), "", container)


class SingleTest(ComposeTest):
    def test_sells_through_crashes_and_a_down_and_leaves_nothing(self):
        self.bring_up("single")
        self.assert_only_nginx_is_published()
        alice = self.shopper()
        self.assert_seen(alice, "A01")
        self.assert_taken("A01")

        self.composed.kill(self.composed.containers("edge")[0])
        self.assert_seen(alice, "A02")

        self.composed.kill(self.composed.containers("seatlockd")[0])
        self.assert_taken("A01")
        self.assert_seen(alice, "A03")

        self.composed.down()
        self.composed.up()
        self.assert_taken("A03")

        self.composed.remove()
        self.assertEqual(self.composed.left(), [])


class ClusterTest(ComposeTest):
    def test_goes_on_while_each_part_is_lost_in_turn(self):
        volumes = self.volumes()
        self.bring_up("cluster")
        self.assert_only_nginx_is_published()
        alice = self.shopper()
        self.assert_seen(alice, "A01")

        self.composed.kill(self.composed.containers("seatlockd")[0])
        self.assert_taken("A01")
        self.assert_seen(alice, "A02")

        self.composed.kill(self.composed.containers("edge")[0])
        self.assert_seen(alice, "A03")

        self.lose_the_primary()
        self.assert_taken("A03")
        self.assert_seen(alice, "A04")

        # The store is there already, and its seats.
        self.composed.down()
        self.composed.up()
        for seat in ("A01", "A02", "A03", "A04"):
            self.assert_taken(seat)

        self.composed.remove()
        self.assertEqual((self.composed.left(), self.volumes() - volumes), ([], set()))

    def volumes(self):
        """Also those without a name of their own, which belong to no project."""
        return set(call("volume", "ls", "-q").split())

    def lose_the_primary(self):
        """Stopped, so that it stays away until Sentinel has promoted the other; then it is back."""
        self.assertEqual(self.primary(), "redis-1")
        container = self.composed.containers("redis-1")[0]
        call("kill", "-s", "KILL", container)
        eventually(lambda: self.primary() == "redis-2", "Sentinel promotes the replica")
        call("start", container)

    def primary(self):
        sentinel = self.composed.containers("sentinel-1")[0]
        return call("exec", sentinel, "redis-cli", "-p", "26379", "sentinel",
                    "get-master-addr-by-name", "seatlock").split()[0]


if __name__ == "__main__":
    unittest.main()
