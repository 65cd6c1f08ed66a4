#include "tests/testing/load_worker.h"

#include <algorithm>
#include <iostream>
#include <thread>
#include <utility>

namespace seatlock::testing {
namespace {

constexpr std::chrono::seconds kSettleMax{60};
constexpr size_t kOpenOrdersMax = 2;
constexpr size_t kRememberedMax = 3;
constexpr int64_t kShortTtlMs = 1'000;
constexpr int64_t kLongTtlMs = 600'000;
constexpr int64_t kExtendedTtlMs = 900'000;
// So that callers of servers that are all away leave them the machine to start on.
constexpr int64_t kPauseMs = 5;
// A server that is overloaded says when to ask again; a test has no time for more.
constexpr int64_t kOverloadedPauseMaxMs = 100;

bool IsLockExpired(const grpc::Status& status) {
  return DecodeRefusal(status).reason == "LOCK_EXPIRED";
}

// Whether the call did nothing, or may have, and is to be asked again.
bool IsOpen(const grpc::Status& status) {
  const grpc::StatusCode code = status.error_code();
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
         code == grpc::StatusCode::RESOURCE_EXHAUSTED;
}

}  // namespace

Worker::Worker(int index, const std::vector<std::string>& servers, Progress& progress,
               uint64_t seed, const Options& options)
    : index_(index),
      seats_(options.seats),
      progress_(progress),
      random_(seed),
      server_(static_cast<size_t>(index)) {
  for (const std::string& address : servers) {
    clients_.push_back(std::make_unique<SeatLockClient>(address, options.deadline));
    clients_.back()->set_wait_for_ready(servers.size() == 1);
  }
}

void Worker::Run(const std::atomic<bool>& stop) {
  while (!stop && problem_.empty()) {
    TakeTurn();
    if (progress_.starts() != starts_) AskAgain();
    while (open_orders_.size() > kOpenOrdersMax && problem_.empty()) CancelOldest();
  }
  while (!open_orders_.empty() && problem_.empty()) CancelOldest();
  for (const v1::LockSeatRequest& lock : doubtful_locks_) {
    if (problem_.empty()) Unlock(lock);
  }
  for (const Order& order : doubtful_orders_) {
    if (problem_.empty()) Cancel(order, true);
  }
}

void Worker::Object(const std::string& problem) {
  problem_ = problem;
  objects_ = true;
  // At once: a load whose workers have stopped may end its test before anybody asks them.
  std::cerr << "worker " + std::to_string(index_) + ": " + problem + "\n";
}

std::string Worker::NextId(const char* kind) {
  return std::string(kind) + std::to_string(index_) + "-" + std::to_string(++ids_);
}

template <typename Request, typename Response>
Answer<Response> Worker::Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                          Response*),
                             const Request& request, Question question) {
  const auto deadline = std::chrono::steady_clock::now() + kSettleMax;
  times_ = {.first_asked = std::chrono::steady_clock::now()};
  Answer<Response> answer;
  do {
    times_.last_asked = std::chrono::steady_clock::now();
    times_.last_asked_ms = WallClockMs();
    answer = client().Call(method, request);
    times_.answered = std::chrono::steady_clock::now();
    times_.answered_ms = WallClockMs();
    if (!IsOpen(answer.status)) {
      Note(request.showtime_id(), std::move(question), answer);
      return answer;
    }
    times_.retried = true;
    ++retried_;
    ++server_;
    Pause(answer.status);
  } while (times_.answered < deadline);
  Object("never settled: " + answer.status.error_message());
  Note(request.showtime_id(), std::move(question), answer);
  return answer;
}

void Worker::Pause(const grpc::Status& status) {
  int64_t pause_ms = kPauseMs;
  if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
    const int64_t asked_for = DecodeRefusal(status).retry_after_ms.value_or(kOverloadedPauseMaxMs);
    pause_ms = std::min(asked_for, kOverloadedPauseMaxMs);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
}

template <typename Response>
void Worker::Note(const std::string& showtime, Question question, const Answer<Response>& answer) {
  Call call{.showtime = showtime, .question = std::move(question), .times = times_};
  if (answer.ok()) {
    call.end = Call::End::kAnswered;
    call.said = SaidOf(answer.response);
    if (std::holds_alternative<domain::Command>(call.question)) progress_.Acknowledged();
  } else if (answer.status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) {
    call.end = Call::End::kAnswered;
    call.said = SaidOf(answer.refusal());
  } else if (IsLockExpired(answer.status)) {
    call.end = Call::End::kEnded;
  } else if (problem_.empty()) {
    Object("strange status: " + answer.status.error_message() + " to " + Describe(call.question));
  }
  calls_.push_back(std::move(call));
}

void Worker::TakeTurn() {
  Turn turn;
  turn.short_lived = OneIn(4);
  turn.lock = LockSeatRequestOf(
      ShowtimeOf(Below(kShowtimes)), "A" + std::to_string(Below(seats_)), NextId("s"),
      {.ttl_ms = turn.short_lived ? kShortTtlMs : kLongTtlMs, .request_id = NextId("r")});
  if (OneIn(4)) ReadShowtimeOf(turn.showtime());
  const auto answer = Lock(turn.lock);
  if (!problem_.empty()) return;
  if (!answer.ok()) return TryOthersSeat(turn);
  Remember(turn.lock, answer.response);
  turn.fence = answer.response.lock().fence();
  HoldOn(turn);
  if (turn.short_lived) {
    // Late, after another may have had the seat; or never, and the lock ends by itself.
    if (OneIn(2)) Buy(turn, false);
  } else if (OneIn(2)) {
    GiveBack(turn);
  } else {
    Buy(turn, true);
  }
}

void Worker::TryOthersSeat(const Turn& turn) {
  if (OneIn(3)) Unlock(turn.lock);
  if (OneIn(3)) Buy(turn, OneIn(2));
  if (OneIn(3)) ReadShowtimeOf(turn.showtime());
}

void Worker::HoldOn(const Turn& turn) {
  if (OneIn(4)) ReadLocksOf(turn);
  if (OneIn(4)) {
    v1::LockSeatRequest again = turn.lock;
    again.set_request_id(NextId("r"));
    Lock(again);
  }
  if (OneIn(4)) Lock(turn.lock);  // the same request, word for word
  if (turn.short_lived || !OneIn(4) || !problem_.empty()) return;
  v1::ExtendLocksRequest extend;
  extend.set_showtime_id(turn.showtime());
  extend.add_seat_ids(turn.seat());
  extend.set_session_id(turn.session());
  extend.mutable_ttl()->set_seconds(kExtendedTtlMs / 1000);
  extend.set_request_id(NextId("r"));
  Ask(&Stub::ExtendLocks, extend, CommandOf(extend));
}

void Worker::GiveBack(const Turn& turn) {
  Unlock(turn.lock);
  if (OneIn(3)) Unlock(turn.lock);  // it is free already, or another's
}

void Worker::Buy(const Turn& turn, bool only_held) {
  const Order order{turn.showtime(), NextId("o")};
  BookOptions options{.request_id = NextId("r"), .only_held = only_held};
  if (turn.fence > 0) options.fences = {{turn.seat(), turn.fence}};
  v1::BookSeatsRequest book =
      BookSeatsRequestOf(turn.showtime(), {turn.seat()}, turn.session(), order.id, options);
  if (OneIn(4)) ReadOrderOf(order);
  if (!Ask(&Stub::BookSeats, book, CommandOf(book)).ok()) {
    if (times_.retried) doubtful_orders_.push_back(order);
    return;
  }
  open_orders_.push_back(order);
  if (OneIn(3)) {
    book.set_request_id(NextId("r"));
    Ask(&Stub::BookSeats, book, CommandOf(book));
  }
  if (OneIn(4)) ReadOrderOf(order);
}

void Worker::CancelOldest() {
  const Order order = open_orders_.front();
  open_orders_.pop_front();
  Cancel(order);
  if (OneIn(4)) ReadOrderOf(order);
  if (OneIn(4)) Cancel(order);
}

void Worker::Cancel(const Order& order, bool tombstone) {
  v1::CancelBookingRequest cancel;
  cancel.set_showtime_id(order.showtime);
  cancel.set_order_id(order.id);
  cancel.set_all(true);
  cancel.set_tombstone(tombstone);
  cancel.set_request_id(NextId("r"));
  Ask(&Stub::CancelBooking, cancel, CommandOf(cancel));
}

Answer<v1::LockSeatResponse> Worker::Lock(const v1::LockSeatRequest& request) {
  const auto answer = Ask(&Stub::LockSeat, request, CommandOf(request));
  if (times_.retried) doubtful_locks_.push_back(request);
  const v1::LockSeatResponse& response = answer.response;
  if (answer.ok() && ToMs(response.lock().expire_time()) <= ToMs(response.server_time())) {
    Object("a lock that had ended: " + response.ShortDebugString());
  }
  return answer;
}

void Worker::Unlock(const v1::LockSeatRequest& lock) {
  v1::UnlockSeatRequest unlock;
  unlock.set_showtime_id(lock.showtime_id());
  unlock.set_seat_id(lock.seat_id());
  unlock.set_session_id(lock.session_id());
  unlock.set_request_id(NextId("r"));
  Ask(&Stub::UnlockSeat, unlock, CommandOf(unlock));
}

void Worker::ReadShowtimeOf(const std::string& showtime) {
  v1::GetShowtimeRequest request;
  request.set_showtime_id(showtime);
  Ask(&Stub::GetShowtime, request, ReadShowtime());
}

void Worker::ReadLocksOf(const Turn& turn) {
  v1::ListSessionLocksRequest request;
  request.set_showtime_id(turn.showtime());
  request.set_session_id(turn.session());
  Ask(&Stub::ListSessionLocks, request, ReadLocks{turn.session()});
}

void Worker::ReadOrderOf(const Order& order) {
  v1::GetOrderRequest request;
  request.set_showtime_id(order.showtime);
  request.set_order_id(order.id);
  Ask(&Stub::GetOrder, request, ReadOrder{order.id});
}

void Worker::Remember(const v1::LockSeatRequest& request, v1::LockSeatResponse response) {
  response.clear_server_time();
  remembered_.push_back({request, response});
  if (remembered_.size() > kRememberedMax) remembered_.pop_front();
}

// The same request_id gives the same answer, whatever happened to the seat and the server. Only a
// lock of a second may have ended meanwhile, and is then said to.
void Worker::AskAgain() {
  starts_ = progress_.starts();
  for (const Remembered& known : remembered_) {
    if (!problem_.empty()) return;
    auto answer = Lock(known.request);
    answer.response.clear_server_time();
    ++asked_again_;
    if (known.request.ttl().seconds() <= 1 && IsLockExpired(answer.status)) continue;
    if (!answer.ok() || answer.response.SerializeAsString() != known.response.SerializeAsString()) {
      Object("asked again: " + answer.status.error_message() + " " +
             answer.response.ShortDebugString() + ", not " + known.response.ShortDebugString());
    }
  }
}

}  // namespace seatlock::testing
