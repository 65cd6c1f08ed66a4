"""Calls seatlockd through TLS for a test: Debian's python3-grpcio, code by protoc.

Usage: /usr/bin/python3 grpc_caller.py ADDRESS CA CERTIFICATE KEY FOLDER_OF_GENERATED_CODE
CERTIFICATE and KEY may be empty. Reads one JSON object a line:
  {"call": "LockSeat", "body": {...}, "metadata": {...}}  answered by {"code": "OK", "body": {...}}
  {"watch": "123"}  the last line: each event is a line {"event": {...}}, its end a line with a code
"""

import json
import sys

address, ca, certificate, key, folder = sys.argv[1:]
sys.path.insert(0, folder)

import grpc  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from seatlock.v1 import seatlock_service_pb2 as api  # noqa: E402

SERVICE = "/seatlock.v1.SeatLockService/"
SECONDS_MAX = 30


def read(path):
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()


def say(value):
    print(json.dumps(value), flush=True)


def types_of(name):
    return getattr(api, name + "Request"), getattr(api, name + "Response", None)


def call(channel, line):
    name = line["call"]
    path = name if name.startswith("/") else SERVICE + name
    request_type, answer_type = (None, None) if path == name else types_of(name)
    method = channel.unary_unary(
        path,
        request_serializer=request_type.SerializeToString if request_type else None,
        response_deserializer=answer_type.FromString if answer_type else None)
    body = json_format.ParseDict(line["body"], request_type()) if request_type else b""
    metadata = list(line.get("metadata", {}).items())
    try:
        answer = method(body, timeout=SECONDS_MAX, metadata=metadata)
    except grpc.RpcError as error:
        return {"code": error.code().name, "message": error.details()}
    return {"code": "OK", "body": json_format.MessageToDict(answer) if answer_type else None}


def watch(channel, showtime):
    method = channel.unary_stream(
        SERVICE + "WatchShowtime",
        request_serializer=api.WatchShowtimeRequest.SerializeToString,
        response_deserializer=api.WatchShowtimeResponse.FromString)
    try:
        for event in method(api.WatchShowtimeRequest(showtime_id=showtime)):
            say({"event": json_format.MessageToDict(event)})
    except grpc.RpcError as error:
        say({"code": error.code().name, "message": error.details()})


def main():
    credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(certificate))
    options = [("grpc.ssl_target_name_override", "seats.example"), ("grpc.enable_retries", 0)]
    with grpc.secure_channel(address, credentials, options) as channel:
        for text in sys.stdin:
            line = json.loads(text)
            if "watch" in line:
                watch(channel, line["watch"])
                return
            say(call(channel, line))


main()
