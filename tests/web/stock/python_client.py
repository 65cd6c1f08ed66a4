"""A stock client: Debian's python3-grpcio with code by protoc and its grpc_python_plugin.

Usage: python_client.py ADDRESS FOLDER_OF_GENERATED_CODE; prints what stock.test.ts expects.
"""

import json
import sys

address, folder = sys.argv[1:]
sys.path.insert(0, folder)

import grpc  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from seatlock.v1 import seatlock_service_pb2 as api  # noqa: E402
from seatlock.v1 import seatlock_service_pb2_grpc, seats_pb2  # noqa: E402

SHOWTIME = "python"
SECONDS_MAX = 30


def details_of(error):
    """The ErrorInfo and the SeatConflicts of a refusal."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    conflicts = seats_pb2.SeatConflicts()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(conflicts)
    return info, conflicts


def refused(stub):
    request = api.LockSeatsRequest(
        showtime_id=SHOWTIME, seat_ids=["A05", "A06"], session_id="bob")
    try:
        stub.LockSeats(request, timeout=SECONDS_MAX)
    except grpc.RpcError as error:
        return error
    raise AssertionError("the taken seat was not refused")


def status_of(seat):
    return seats_pb2.SeatStatus.Name(seat.status)


def main():
    channel = grpc.insecure_channel(address)
    stub = seatlock_service_pb2_grpc.SeatLockServiceStub(channel)
    watch = stub.WatchShowtime(api.WatchShowtimeRequest(showtime_id=SHOWTIME), timeout=SECONDS_MAX)
    first = next(watch)
    request = api.LockSeatRequest(showtime_id=SHOWTIME, seat_id="A06", session_id="alice")
    lock = stub.LockSeat(request, timeout=SECONDS_MAX).lock
    error = refused(stub)
    info, conflicts = details_of(error)
    change = next(watch).change
    watch.cancel()
    print(json.dumps({
        "first": first.WhichOneof("event"),
        "lock": {"seatId": lock.seat_id, "fence": lock.fence},
        "refused": {
            "code": error.code().name,
            "reason": info.reason,
            "conflicts": [[it.seat_id, status_of(it)] for it in conflicts.conflicts],
        },
        "change": {
            "revision": change.revision,
            "cause": seats_pb2.ChangeCause.Name(change.cause),
            "seats": [[it.seat_id, status_of(it), it.session_id] for it in change.seats],
        },
    }))


main()
