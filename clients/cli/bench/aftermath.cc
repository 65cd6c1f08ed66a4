#include "clients/cli/bench/aftermath.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {
namespace {

using client::Watch;

int64_t ToMs(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000 + time.nanos() / 1'000'000;
}

std::string TextOf(const absl::Status& status) {
  const client::CallError error = client::ErrorOf(status);
  return absl::StrCat(error.reason, error.reason.empty() ? "" : ": ", error.message);
}

SeatIs StatusOf(const v1::Seat& seat) {
  switch (seat.status()) {
    case v1::SEAT_STATUS_AVAILABLE:
      return SeatIs::kFree;
    case v1::SEAT_STATUS_LOCKED:
      return SeatIs::kLocked;
    case v1::SEAT_STATUS_BOOKED:
      return SeatIs::kBooked;
    default:
      return SeatIs::kOther;
  }
}

void AddChange(const Names& names, const v1::Change& change, History* history) {
  for (const v1::Seat& seat : change.seats()) {
    history->seen.push_back({.revision = change.revision(),
                             .commit_ms = ToMs(change.commit_time()),
                             .expire_ms = ToMs(seat.expire_time()),
                             .seat = Names::SeatNumber(seat.seat_id()),
                             .session = names.SessionNumber(seat.session_id()),
                             .status = StatusOf(seat),
                             .lapsed = change.cause() == v1::CHANGE_CAUSE_EXPIRED});
  }
  history->last_revision = change.revision();
}

// One watch from where `history` ends: adds to it until it is whole or the watch gives no more
// changes, and says then why.
std::string ReadOn(Watch& watch, const Names& names, uint64_t last_revision, int64_t patience_ms,
                   History* history, std::string* epoch) {
  while (history->last_revision < last_revision) {
    const absl::StatusOr<Watch::Event> event = watch.Next(std::chrono::milliseconds(patience_ms));
    if (!event.ok()) {
      const absl::Status failure = watch.Failure();
      return TextOf(failure.ok() ? event.status() : failure);
    }
    if (std::holds_alternative<v1::ShowtimeSnapshot>(*event)) {
      return "the service sent a snapshot in place of the changes";
    }
    if (const auto* change = std::get_if<v1::Change>(&*event)) {
      *epoch = change->epoch();
      AddChange(names, *change, history);
    } else if (std::get<v1::Progress>(*event).revision() > history->last_revision) {
      return "the service left changes out";
    }
  }
  return "";
}

// Frees what `snapshot` says that the run's sessions and orders have.
absl::Status Free(client::Client& client, const v1::ShowtimeSnapshot& snapshot) {
  std::set<std::string> sessions;
  std::set<std::string> orders;
  for (const v1::Seat& seat : snapshot.seats()) {
    if (seat.status() == v1::SEAT_STATUS_LOCKED) sessions.insert(seat.session_id());
    if (seat.status() == v1::SEAT_STATUS_BOOKED) orders.insert(seat.order_id());
  }
  absl::Status failure;
  for (const std::string& session : sessions) {
    v1::UnlockSeatsRequest request;
    request.set_showtime_id(snapshot.showtime_id());
    request.set_session_id(session);
    request.set_all(true);
    failure.Update(client.UnlockSeats(std::move(request)).status());
  }
  for (const std::string& order : orders) {
    v1::CancelBookingRequest request;
    request.set_showtime_id(snapshot.showtime_id());
    request.set_order_id(order);
    request.set_all(true);
    failure.Update(client.CancelBooking(std::move(request)).status());
  }
  return failure;
}

}  // namespace

CleanUp CleanUpShowtime(client::Client& client, const Names& names, uint32_t showtime) {
  v1::GetShowtimeRequest request;
  request.set_showtime_id(names.Showtime(showtime));
  CleanUp result;
  const auto before = client.GetShowtime(request);
  if (!before.ok()) {
    result.failure = TextOf(before.status());
    return result;
  }
  const absl::Status freed = Free(client, before->snapshot());
  if (!freed.ok()) result.failure = TextOf(freed);
  const auto after = client.GetShowtime(request);
  if (!after.ok()) {
    result.failure = TextOf(after.status());
    return result;
  }
  result.left = static_cast<uint64_t>(after->snapshot().seats_size());
  result.revision = after->snapshot().revision();
  return result;
}

History ReadHistory(client::Client& client, const Names& names, uint32_t showtime,
                    uint64_t last_revision, int64_t patience_ms) {
  History history;
  std::string epoch;
  // A reader whom the service finds too slow gets a snapshot: it asks again for what it missed.
  for (int i = 0; i < kHistoryTriesMax; ++i) {
    v1::WatchShowtimeRequest request;
    request.set_showtime_id(names.Showtime(showtime));
    request.mutable_resume()->set_epoch(epoch);
    request.mutable_resume()->set_revision(history.last_revision);
    const std::unique_ptr<Watch> watch = client.WatchShowtime(std::move(request));
    history.missing = ReadOn(*watch, names, last_revision, patience_ms, &history, &epoch);
    if (history.missing.empty()) break;
  }
  return history;
}

void ForEachShowtime(uint32_t showtimes, const std::function<void(uint32_t showtime)>& one) {
  std::atomic<uint32_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kReadersMax; ++i) {
    threads.emplace_back([&] {
      for (uint32_t at = next++; at < showtimes; at = next++) one(at);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace seatlock::cli::bench
