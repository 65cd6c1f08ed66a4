"""An API server's calls in Python: lock, be refused, follow, sell.

Usage: seats.py SERVER[,SERVER...] SHOWTIME SEAT. docs/other-languages.md makes the stubs and says
why each call is made as it is here.
"""

import random
import sys
import time
import uuid

import grpc
from google.rpc import error_details_pb2, status_pb2
from seatlock.v1 import seatlock_service_pb2 as api
from seatlock.v1 import seatlock_service_pb2_grpc, seats_pb2

ATTEMPTS_MAX = 5
ATTEMPT_SECONDS = 4.0  # long enough for a disk that hangs, short enough to ask another server
PAUSE_SECONDS_MAX = 2.0
# Finds a dead connection under a quiet watch. The service allows a ping every 10 s.
CHANNEL_OPTIONS = [("grpc.keepalive_time_ms", 20_000), ("grpc.keepalive_timeout_ms", 10_000)]
# The request itself is wrong: asking again cannot help.
FINAL = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION,
         grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED,
         grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}


class Refusal(Exception):
    """What the service says with a failed call. `reason` is empty if the service said nothing."""

    def __init__(self, error):
        super().__init__(error.details())
        self.code = error.code()
        self.reason, self.metadata, self.conflicts, self.retry_seconds = "", {}, [], 0.0
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    self._take(detail)

    def _take(self, detail):
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        conflicts = seats_pb2.SeatConflicts()
        if detail.Unpack(info):
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(conflicts):
            self.conflicts = list(conflicts.conflicts)
        elif detail.Unpack(retry):
            self.retry_seconds = min(retry.retry_delay.ToTimedelta().total_seconds(), 60.0)

    def may_be_retried(self):
        if self.code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self.retry_seconds > 0
        return self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

    def pause(self, attempt):
        """Random, so that callers who failed together do not come back together."""
        grown = min(PAUSE_SECONDS_MAX, 0.1 * 2**attempt)
        time.sleep(self.retry_seconds + random.uniform(grown / 2, grown))


class Seats:
    """Calls one of the servers of one store; if it fails, the next one. For one thread."""

    def __init__(self, servers):
        channels = [grpc.insecure_channel(server, CHANNEL_OPTIONS) for server in servers]
        self._stubs = [seatlock_service_pb2_grpc.SeatLockServiceStub(it) for it in channels]

    def call(self, method, request):
        """The answer, or a Refusal. Every attempt of a mutation carries the same request_id."""
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = str(uuid.uuid4())
        for attempt in range(ATTEMPTS_MAX):
            try:
                return getattr(self._stubs[0], method)(request, timeout=ATTEMPT_SECONDS)
            except grpc.RpcError as error:
                refusal = Refusal(error)
            if not refusal.may_be_retried() or attempt + 1 == ATTEMPTS_MAX:
                raise refusal
            if refusal.code != grpc.StatusCode.RESOURCE_EXHAUSTED:
                self._stubs.append(self._stubs.pop(0))
            refusal.pause(attempt)

    def follow(self, showtime_id):
        """Yields each snapshot (as a list of its parts) and change, for ever."""
        position, parts, failures = None, [], 0
        while True:
            request = api.WatchShowtimeRequest(showtime_id=showtime_id, resume=position)
            parts.clear()  # a snapshot that was cut off begins anew
            try:
                for message in self._stubs[0].WatchShowtime(request):
                    failures = 0
                    kind = message.WhichOneof("event")
                    if kind is None:
                        continue  # of a newer version
                    event = getattr(message, kind)
                    if kind == "snapshot":
                        parts.append(event)
                        if event.more:
                            continue
                        yield kind, list(parts)
                        parts.clear()
                    elif kind == "change":
                        yield kind, event
                    position = seats_pb2.Position(epoch=event.epoch, revision=event.revision)
            except grpc.RpcError as error:
                refusal = Refusal(error)
                if refusal.code in FINAL:
                    raise refusal from error
                self._stubs.append(self._stubs.pop(0))
                refusal.pause(failures)
                failures += 1


def show(seats):
    return ", ".join(f"{it.seat_id} {seats_pb2.SeatStatus.Name(it.status)}" for it in seats)


def main(servers, showtime_id, seat_id):
    seats = Seats(servers.split(","))
    name = {"showtime_id": showtime_id, "seat_id": seat_id}

    lock = seats.call("LockSeat", api.LockSeatRequest(**name, session_id="alice")).lock
    print(f"locked for alice, fence {lock.fence}")
    try:
        seats.call("LockSeat", api.LockSeatRequest(**name, session_id="bob"))
    except Refusal as refusal:
        print(f"refused to bob: {refusal.reason}, {show(refusal.conflicts)}")

    events = seats.follow(showtime_id)
    kind, parts = next(events)
    print(f"{kind}: {show(seat for part in parts for seat in part.seats)}")

    # Whoever took money names the seats, and makes the order's id before the payment.
    seats.call("BookSeats", api.BookSeatsRequest(
        showtime_id=showtime_id, seat_ids=[seat_id], session_id="alice",
        order_id=str(uuid.uuid4()), fences={seat_id: lock.fence}))
    kind, change = next(events)
    print(f"{kind}: {show(change.seats)}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: seats.py SERVER[,SERVER...] SHOWTIME SEAT")
    try:
        main(*sys.argv[1:])
    except Refusal as refusal:
        sys.exit(f"{refusal.reason or refusal.code.name}: {refusal}")
