#include "clients/cli/format.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace seatlock::cli {
namespace {

using google::protobuf::Timestamp;
using Row = std::vector<std::string>;

absl::Time ToTime(const Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string TimeText(const Timestamp& time, const char* format) {
  return absl::FormatTime(format, ToTime(time), absl::UTCTimeZone());
}
std::string DateTime(const Timestamp& time) {
  return TimeText(time, "%Y-%m-%dT%H:%M:%SZ");
}

// Columns two spaces apart, the last one not padded.
std::string Table(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      absl::StrAppend(&text, row[i], last ? "" : std::string(widths[i] - row[i].size() + 2, ' '));
    }
    text += "\n";
  }
  return text;
}

std::string Colored(const std::string& text, v1::SeatStatus status, bool color) {
  if (!color) return text;
  const char* code = status == v1::SEAT_STATUS_AVAILABLE ? "32"
                     : status == v1::SEAT_STATUS_LOCKED  ? "33"
                                                         : "31";
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

// "A06  locked     until 12:10:00 by alice".
std::string SeatText(const v1::Seat& seat, size_t width, bool color) {
  std::string status = StatusWord(seat.status());
  status.resize(std::max<size_t>(status.size(), 9), ' ');
  std::string text =
      absl::StrCat(seat.seat_id(), std::string(width - seat.seat_id().size() + 2, ' '),
                   Colored(status, seat.status(), color));
  if (seat.has_expire_time()) {
    absl::StrAppend(&text, "  until ", TimeText(seat.expire_time(), "%H:%M:%S"));
  }
  if (!seat.session_id().empty()) absl::StrAppend(&text, "  session ", seat.session_id());
  if (!seat.order_id().empty()) absl::StrAppend(&text, "  order ", seat.order_id());
  return text;
}

size_t WidestSeat(const google::protobuf::RepeatedPtrField<v1::Seat>& seats) {
  size_t width = 0;
  for (const v1::Seat& seat : seats) width = std::max(width, seat.seat_id().size());
  return width;
}

std::string CauseWord(v1::ChangeCause cause) {
  const std::string name = v1::ChangeCause_Name(cause);
  return name.empty() ? "change" : absl::AsciiStrToLower(name.substr(sizeof("CHANGE_CAUSE_") - 1));
}

std::string ChangeTable(const v1::Change& change, bool color) {
  const std::string head = absl::StrCat(TimeText(change.commit_time(), "%H:%M:%S"), "  #",
                                        change.revision(), "  ", CauseWord(change.cause()));
  if (change.seats().empty()) return absl::StrCat(head, "  (no seat changed)\n");
  std::string text;
  const size_t width = WidestSeat(change.seats());
  for (const v1::Seat& seat : change.seats()) {
    absl::StrAppend(&text, head, "  ", SeatText(seat, width, color), "\n");
  }
  return text;
}

// "A06 is booked, A07 is locked by another session."
std::string ConflictText(const client::CallError& error) {
  std::string text;
  for (const v1::SeatConflict& conflict : error.conflicts) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", conflict.seat_id(), " is ",
                    StatusWord(conflict.status()));
  }
  return text;
}

// What to do next, by reason.
std::string Advice(const Args& args, const client::CallError& error) {
  const std::map<std::string, std::string> advice = {
      {"SEAT_TAKEN",
       absl::StrCat("Choose other seats; `seatctl get ", args.showtime, "` shows what is taken.")},
      {"NOT_LOCK_HOLDER", absl::StrCat("`seatctl locks ", args.showtime, " --session ",
                                       args.session, "` shows what the session holds.")},
      {"NOTHING_HELD", "Lock seats first, or name the seats to book."},
      {"ORDER_MISMATCH", "The order has other seats; --add adds these to it."},
      {"ORDER_CANCELLED", "A cancelled order never books again: use a new order id."},
      {"UNKNOWN_ORDER", "Check the id; --tombstone bars an order that never came."},
      {"STALE_FENCE", "The lock lapsed and another shopper had the seat since: refund, or ask."},
      {"SESSION_SEAT_LIMIT", "Free other seats first, or swap with --release."},
      {"ORDER_SEAT_LIMIT", "Book the other seats under another order id."},
      {"EXTEND_LIMIT", "The lock is near its greatest age; ask for less with --ttl."},
      {"LOCK_EXPIRED", "The lock that this request got has ended: lock again."},
      {"REQUEST_ID_REUSED", "Leave out --request-id, or repeat the very same command."},
      {"SHOWTIME_CLOSED", "The sale has ended; `seatctl admin reopen` takes it up again."},
      {"SNAPSHOT_TOO_LARGE", absl::StrCat("Use `seatctl watch ", args.showtime, "`.")},
  };
  const auto found = advice.find(error.reason);
  if (found != advice.end()) return found->second;
  if (ExitCodeOf(error) != kExitUnavailable && !error.MayHaveHappened()) return "";
  const bool reads = args.command == Command::kGet || args.command == Command::kLocks ||
                     args.command == Command::kList || args.command == Command::kWatch;
  std::string text;
  if (error.reason.empty() && error.code == absl::StatusCode::kUnavailable) {
    text = absl::StrCat("Is seatlockd running on ", args.server,
                        "? `./dev up` starts one; --server names another.");
    if (reads) return text;
  }
  if (reads || error.NothingHappened()) {
    return absl::StrCat(text, text.empty() ? "" : "\n", "Nothing was changed: try again.");
  }
  if (args.request_id.empty()) {
    return absl::StrCat(text, text.empty() ? "" : "\n", "It may have happened. `seatctl get ",
                        args.showtime, "` shows whether the showtime is still there.");
  }
  return absl::StrCat(text, text.empty() ? "It" : "\nIf it was running, it",
                      " may have happened. To find out, repeat it with --request-id ",
                      args.request_id, ": it is done once.");
}

}  // namespace

std::string StatusWord(v1::SeatStatus status) {
  switch (status) {
    case v1::SEAT_STATUS_AVAILABLE:
      return "available";
    case v1::SEAT_STATUS_LOCKED:
      return "locked";
    case v1::SEAT_STATUS_BOOKED:
      return "booked";
    case v1::SEAT_STATUS_BLOCKED:
      return "blocked";
    default:
      return "not available";
  }
}

std::string JsonLine(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  return status.ok() ? absl::StrCat(text, "\n") : "";
}

std::string LocksTable(const google::protobuf::RepeatedPtrField<v1::Lock>& locks,
                       const Timestamp& server_time) {
  if (locks.empty()) return "no locks\n";
  std::vector<Row> rows = {{"SEAT", "FENCE", "EXPIRES", "LEFT"}};
  for (const v1::Lock& lock : locks) {
    const absl::Duration left = ToTime(lock.expire_time()) - ToTime(server_time);
    rows.push_back({lock.seat_id(), absl::StrCat(lock.fence()), DateTime(lock.expire_time()),
                    absl::FormatDuration(absl::Trunc(left, absl::Seconds(1)))});
  }
  return Table(rows);
}

std::string ShowtimeTable(const v1::ShowtimeSnapshot& snapshot, bool color) {
  std::string text =
      absl::StrCat("showtime ", snapshot.showtime_id(), " at revision ", snapshot.revision());
  if (!snapshot.epoch().empty()) absl::StrAppend(&text, " of ", snapshot.epoch());
  absl::StrAppend(&text, snapshot.seats().empty() ? ": every seat is available\n" : "\n");
  const size_t width = WidestSeat(snapshot.seats());
  for (const v1::Seat& seat : snapshot.seats()) {
    absl::StrAppend(&text, "  ", SeatText(seat, width, color), "\n");
  }
  return text;
}

std::string ShowtimesTable(const v1::ListShowtimesResponse& response) {
  const bool more = !response.next_page_token().empty();
  if (response.showtimes().empty() && !more) return "no showtimes\n";
  std::vector<Row> rows = {
      {"SHOWTIME", "REVISION", "LOCKED", "BOOKED", "BLOCKED", "CLOSED", "LAST CHANGE"}};
  for (const v1::ShowtimeSummary& showtime : response.showtimes()) {
    const bool counted = showtime.has_locked();
    const auto number = [counted](uint32_t n) { return counted ? absl::StrCat(n) : "?"; };
    const char* const closed = showtime.closed() ? "yes" : "no";
    rows.push_back({showtime.showtime_id(), absl::StrCat(showtime.revision()),
                    number(showtime.locked()), number(showtime.booked()),
                    number(showtime.blocked()), counted ? closed : "?",
                    showtime.has_last_change_time() ? DateTime(showtime.last_change_time()) : "?"});
  }
  return Table(rows) + (more ? "more showtimes follow: raise --limit\n" : "");
}

std::string OrderTable(const std::string& order, const v1::GetOrderResponse& response) {
  const std::string state = v1::OrderState_Name(response.state());
  std::string text = absl::StrCat("order ", order, " is ",
                                  absl::AsciiStrToLower(state.substr(sizeof("ORDER_STATE_") - 1)),
                                  " at revision ", response.revision(), "\n");
  for (const std::string& seat : response.seat_ids()) absl::StrAppend(&text, "  ", seat, "\n");
  return text;
}

std::string EventTable(const client::Watch::Event& event, bool first, bool color) {
  if (const auto* snapshot = std::get_if<v1::ShowtimeSnapshot>(&event)) {
    return ShowtimeTable(*snapshot, color);
  }
  if (const auto* change = std::get_if<v1::Change>(&event)) return ChangeTable(*change, color);
  if (!first) return "";
  return absl::StrCat("watching from revision ", std::get<v1::Progress>(event).revision(), "\n");
}

std::string EventJson(const client::Watch::Event& event) {
  v1::WatchShowtimeResponse message;
  if (const auto* snapshot = std::get_if<v1::ShowtimeSnapshot>(&event)) {
    *message.mutable_snapshot() = *snapshot;
  } else if (const auto* change = std::get_if<v1::Change>(&event)) {
    *message.mutable_change() = *change;
  } else {
    *message.mutable_progress() = std::get<v1::Progress>(event);
  }
  return JsonLine(message);
}

std::string ErrorText(const Args& args, const client::CallError& error) {
  std::string text = "seatctl: ";
  if (!error.reason.empty()) absl::StrAppend(&text, error.reason, ": ");
  absl::StrAppend(&text, error.message, "\n");
  if (!error.conflicts.empty()) absl::StrAppend(&text, "  ", ConflictText(error), "\n");
  for (const std::string& field : error.fields) absl::StrAppend(&text, "  ", field, "\n");
  const std::string advice = Advice(args, error);
  if (!advice.empty()) absl::StrAppend(&text, advice, "\n");
  return text;
}

std::string ErrorJson(const client::CallError& error) {
  boost::json::object metadata;
  for (const auto& [key, value] : error.metadata) metadata[key] = value;
  boost::json::array seats;
  for (const v1::SeatConflict& conflict : error.conflicts) {
    seats.push_back({{"seatId", conflict.seat_id()},
                     {"status", v1::SeatStatus_Name(conflict.status())},
                     {"reason", conflict.reason()}});
  }
  const boost::json::object body = {{"code", absl::StatusCodeToString(error.code)},
                                    {"reason", error.reason},
                                    {"message", error.message},
                                    {"metadata", metadata},
                                    {"server", error.server},
                                    {"seats", seats}};
  return boost::json::serialize(body) + "\n";
}

int ExitCodeOf(const client::CallError& error) {
  if (error.code == absl::StatusCode::kOk) return kExitOk;
  if (error.reason == "SEAT_TAKEN") return kExitSeatTaken;
  const bool unavailable = error.code == absl::StatusCode::kUnavailable ||
                           error.code == absl::StatusCode::kDeadlineExceeded;
  return unavailable ? kExitUnavailable : kExitFailed;
}

}  // namespace seatlock::cli
