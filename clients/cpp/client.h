// A client of SeatLockService: typed calls with deadlines, retried where that is safe.
//
//   Client client({.target = "127.0.0.1:50051"});
//   absl::StatusOr<v1::LockSeatResponse> lock = client.LockSeat(request);
//   if (!lock.ok() && ErrorOf(lock.status()).reason == "SEAT_TAKEN") ...
//
// Every mutation gets a request_id (a UUID) unless the caller set one, and each attempt carries the
// same, so the service does it once. UNAVAILABLE, RESOURCE_EXHAUSTED if the service says when to
// ask again (RetryInfo), and an attempt that got no answer in time are tried again with a jittered
// pause until the call's timeout or its retries are used up; anything else is returned at once. The
// failure returned is the last one; ErrorOf gives its details. Where any attempt of a mutation may
// have happened and the service did not settle it since by a refusal, the failure says so:
// CallError::MayHaveHappened(), whatever became of the last attempt.
//
// Calls block. Thread-safe; one Client serves a whole program over one connection.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "clients/cpp/call_error.h"
#include "clients/cpp/watch.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::client {

struct ClientOptions {
  // host:port, or any gRPC target. Plaintext.
  std::string target = "127.0.0.1:50051";
  // For a call, its retries and pauses included.
  std::chrono::milliseconds timeout{10'000};
  // For one attempt: long enough for a fsync that hangs, short enough to try again.
  std::chrono::milliseconds attempt_timeout{4'000};
  // Attempts after the first.
  int retries = 4;
  // Bounds of the pause before an attempt.
  std::chrono::milliseconds backoff_first{50};
  std::chrono::milliseconds backoff_max{2'000};
};

class Client {
 public:
  // Cannot fail: the connection is made by the first call.
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

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

  // Follows a showtime. The Watch may outlive the Client.
  std::unique_ptr<Watch> WatchShowtime(v1::WatchShowtimeRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A random UUID (RFC 4122 version 4), for request_id.
std::string MakeRequestId();

}  // namespace seatlock::client
