// A test's client of seatlockd: one blocking call a line, and refusals taken apart. It adds nothing
// to what the caller asks for: no retries, no request_ids. Thread-safe; each object has its own
// connection.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::testing {

// Why a call failed, from its status and its google.rpc details.
struct Refusal {
  struct Conflict {
    std::string seat_id;
    v1::SeatStatus status = v1::SEAT_STATUS_UNSPECIFIED;
    std::string reason;
    friend bool operator==(const Conflict&, const Conflict&) = default;
  };

  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
  std::string domain;
  std::string reason;  // empty where the status has no ErrorInfo
  std::map<std::string, std::string> metadata;
  std::vector<Conflict> conflicts;
  std::vector<std::string> fields;  // BadRequest's, in order
  std::optional<int64_t> retry_after_ms;
  std::string unknown_details;  // type urls that are none of these, to notice strangers
};

Refusal DecodeRefusal(const grpc::Status& status);

template <typename Response>
struct Answer {
  grpc::Status status;
  Response response;

  bool ok() const { return status.ok(); }
  Refusal refusal() const { return DecodeRefusal(status); }
};

struct LockOptions {
  std::optional<int64_t> ttl_ms = {};
  std::optional<std::string> request_id = {};
  uint32_t max_session_seats = 0;
  std::vector<std::string> release = {};  // LockSeats alone
};

struct BookOptions {
  std::optional<std::string> request_id = {};
  std::map<std::string, uint64_t> fences = {};
  bool only_held = false;
  bool add_to_order = false;
};

struct CancelOptions {
  std::optional<std::string> request_id = {};
  bool tombstone = false;
};

using RequestIdOption = std::optional<std::string>;

class SeatLockClient {
 public:
  using Stub = v1::SeatLockService::Stub;
  using Seats = std::vector<std::string>;

  explicit SeatLockClient(const std::string& address,
                          std::chrono::milliseconds deadline = std::chrono::seconds(20));

  Stub& stub() { return *stub_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // Calls wait for a connection up to their deadline, where they would fail at once else.
  void set_wait_for_ready(bool wait) { wait_for_ready_ = wait; }

  // Any unary method: Call(&Stub::LockSeat, request).
  template <typename Request, typename Response>
  Answer<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request) {
    grpc::ClientContext context;
    Prepare(context);
    Answer<Response> answer;
    answer.status = (stub_.get()->*method)(&context, request, &answer.response);
    return answer;
  }

  Answer<v1::LockSeatResponse> Lock(const std::string& showtime, const std::string& seat,
                                    const std::string& session, const LockOptions& options = {});
  Answer<v1::LockSeatsResponse> LockMany(const std::string& showtime, const Seats& seats,
                                         const std::string& session,
                                         const LockOptions& options = {});
  Answer<v1::UnlockSeatResponse> Unlock(const std::string& showtime, const std::string& seat,
                                        const std::string& session,
                                        const RequestIdOption& request_id = {});
  // Without seats: all.
  Answer<v1::UnlockSeatsResponse> UnlockMany(const std::string& showtime, const Seats& seats,
                                             const std::string& session,
                                             const RequestIdOption& request_id = {});
  Answer<v1::ExtendLocksResponse> Extend(const std::string& showtime, const Seats& seats,
                                         const std::string& session,
                                         const LockOptions& options = {});
  Answer<v1::BookSeatsResponse> Book(const std::string& showtime, const Seats& seats,
                                     const std::string& session, const std::string& order,
                                     const BookOptions& options = {});
  // Without seats: all.
  Answer<v1::CancelBookingResponse> Cancel(const std::string& showtime, const Seats& seats,
                                           const std::string& order,
                                           const CancelOptions& options = {});
  Answer<v1::GetOrderResponse> GetOrder(const std::string& showtime, const std::string& order);
  Answer<v1::GetShowtimeResponse> Get(const std::string& showtime);
  // A page; 0: of the default size.
  Answer<v1::ListShowtimesResponse> List(int page_size = 0, const std::string& page_token = "");
  Answer<v1::ListSessionLocksResponse> ListLocks(const std::string& showtime,
                                                 const std::string& session);

 private:
  void Prepare(grpc::ClientContext& context) const;

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Stub> stub_;
  const std::chrono::milliseconds deadline_;
  bool wait_for_ready_ = false;
};

// A channel with a connection of its own that comes back quickly after the server did.
std::shared_ptr<grpc::Channel> TestChannel(const std::string& address,
                                           grpc::ChannelArguments args = {});

v1::LockSeatRequest LockSeatRequestOf(const std::string& showtime, const std::string& seat,
                                      const std::string& session, const LockOptions& options = {});
v1::LockSeatsRequest LockSeatsRequestOf(const std::string& showtime,
                                        const std::vector<std::string>& seats,
                                        const std::string& session,
                                        const LockOptions& options = {});
v1::BookSeatsRequest BookSeatsRequestOf(const std::string& showtime,
                                        const std::vector<std::string>& seats,
                                        const std::string& session, const std::string& order,
                                        const BookOptions& options = {});

// Unix milliseconds.
int64_t ToMs(const google::protobuf::Timestamp& time);
int64_t WallClockMs();

// `seat` as one line for comparing: "A06 LOCKED s1 - @1234".
std::string Describe(const v1::Seat& seat);

}  // namespace seatlock::testing
