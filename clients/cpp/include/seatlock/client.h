// A client of SeatLockService: typed calls with deadlines, retried if that is safe. Include this
// header alone; it brings watch.h, call_error.h and the messages (seatlock/v1).
//
//   seatlock::client::ClientOptions options;
//   options.target = "127.0.0.1:50051";
//   seatlock::client::Client client(options);
//   absl::StatusOr<seatlock::v1::LockSeatResponse> lock = client.LockSeat(request);
//   if (!lock.ok() && ErrorOf(lock.status()).reason == "SEAT_TAKEN") ...
//
// Every mutation gets a request_id (a UUID) unless the caller set one, and each attempt carries the
// same, so the service does it once. A call is tried again, after a jittered pause, if it was
// UNAVAILABLE, if it was RESOURCE_EXHAUSTED and the service says when to ask again (RetryInfo), and
// if an attempt got no answer in time: until the call's timeout or its retries are used up.
// Anything else is returned at once. The failure returned is the last one; ErrorOf gives its
// details. If an attempt of a mutation may have happened and the service did not refuse a later
// one, the failure says so: CallError::MayHaveHappened(), whatever became of the last attempt.
//
// A refusal after an attempt without an answer speaks of the moment of the retry. The first attempt
// may still be under way, for instance in a server that stood still, and may be done later. A lock
// that is taken so ends by its ttl, or by UnlockSeat or UnlockSeats of its session. If you give up
// on an order whose BookSeats got no answer, call CancelBooking with `all` and `tombstone`: that
// bars the late one too.
//
// Several servers on one store: name them all in ClientOptions.servers. A call goes to the server
// that its showtime prefers (rendezvous hashing of server and showtime); all clients that have the
// same list agree on it. If that one is away, the next one is asked at once, under the same rules
// and with the same request_id. Away is a server that cannot be reached, drains, cannot use its
// store, gives no answer in time, or cancels the call because it ends. It is left alone for a short
// random time and then tried by one call. With several servers a failure's message ends with the
// address of the server that was asked last.
//
// Calls block. Thread-safe; one Client serves a whole program over one connection a server.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "seatlock/call_error.h"
#include "seatlock/tls_options.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "seatlock/watch.h"

namespace seatlock::client {

struct ClientOptions {
  // The server: host:port, or any gRPC target. A name that stands for several addresses
  // is a list of servers.
  std::string target = "127.0.0.1:50051";
  // The servers of one store, in place of `target` if it is not empty: each host:port, at most 64,
  // none twice. If the list is wrong, every call and watch is INVALID_ARGUMENT and says why.
  std::vector<std::string> servers = {};
  // Plaintext without it. If one of its files cannot be read, every call and watch is
  // INVALID_ARGUMENT and says why.
  std::optional<TlsOptions> tls = {};
  // For a call, its retries and pauses included.
  std::chrono::milliseconds timeout{10'000};
  // For one attempt: long enough for a fsync that hangs, short enough to try again.
  std::chrono::milliseconds attempt_timeout{4'000};
  // Attempts after the first; with several servers one more for each server after the first.
  int retries = 4;
  // Bounds of the pause before an attempt.
  std::chrono::milliseconds backoff_first{50};
  std::chrono::milliseconds backoff_max{2'000};
  // Bounds of the time for which a server that is away is left alone. With several servers alone.
  std::chrono::milliseconds away_first{500};
  std::chrono::milliseconds away_max{10'000};
  // The trace that a call belongs to, as W3C Trace Context's `traceparent` has it; asked once a
  // call, on its caller's thread. What is none, such as an empty string, is not sent. May be null.
  std::function<std::string()> traceparent = {};
  // How often, at most, a watch that follows another server looks whether a better one is back.
  std::chrono::milliseconds return_pause{4'000};
};

class Client {
 public:
  // Cannot fail: connections are made by the first call.
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Each call returns the service's answer, or after ClientOptions.timeout at the latest a failure
  // that ErrorOf explains: a refusal with its reason (seatlock_service.proto says which a call may
  // have), UNAVAILABLE or DEADLINE_EXCEEDED if no server answered, INVALID_ARGUMENT for a wrong
  // list of servers or wrong files of `tls`.
  absl::StatusOr<v1::LockSeatResponse> LockSeat(v1::LockSeatRequest request);
  absl::StatusOr<v1::LockSeatsResponse> LockSeats(v1::LockSeatsRequest request);
  absl::StatusOr<v1::UnlockSeatResponse> UnlockSeat(v1::UnlockSeatRequest request);
  absl::StatusOr<v1::UnlockSeatsResponse> UnlockSeats(v1::UnlockSeatsRequest request);
  absl::StatusOr<v1::ExtendLocksResponse> ExtendLocks(v1::ExtendLocksRequest request);
  absl::StatusOr<v1::BookSeatsResponse> BookSeats(v1::BookSeatsRequest request);
  absl::StatusOr<v1::CancelBookingResponse> CancelBooking(v1::CancelBookingRequest request);
  absl::StatusOr<v1::GetOrderResponse> GetOrder(v1::GetOrderRequest request);
  absl::StatusOr<v1::GetShowtimeResponse> GetShowtime(v1::GetShowtimeRequest request);
  absl::StatusOr<v1::ListSessionLocksResponse> ListSessionLocks(
      v1::ListSessionLocksRequest request);
  // One page: ask again with its next_page_token until that is empty.
  absl::StatusOr<v1::ListShowtimesResponse> ListShowtimes(v1::ListShowtimesRequest request);

  // Follows a showtime. Does not block; the first Next of the Watch connects. The Watch may outlive
  // the Client.
  std::unique_ptr<Watch> WatchShowtime(v1::WatchShowtimeRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A random UUID (RFC 4122 version 4), for request_id.
std::string MakeRequestId();

}  // namespace seatlock::client
