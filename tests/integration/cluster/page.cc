#include "tests/integration/cluster/page.h"

#include <boost/json/serialize.hpp>
#include <chrono>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace seatlock::testing {
namespace {

// A page looks so often whether it should leave.
constexpr WsClient::Millis kLook{50};

std::string TextOf(const boost::json::object& frame, const char* field) {
  const boost::json::value* value = frame.if_contains(field);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

int64_t NumberOf(const boost::json::object& frame, const char* field) {
  const boost::json::value* value = frame.if_contains(field);
  return value != nullptr && value->is_number() ? value->to_number<int64_t>() : -1;
}

uint16_t PortOf(const std::string& address) {
  int port = 0;
  (void)absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port);
  return static_cast<uint16_t>(port);
}

// As a page is told it.
std::string StatusOf(v1::SeatStatus status) {
  switch (status) {
    case v1::SEAT_STATUS_LOCKED:
      return "locked";
    case v1::SEAT_STATUS_BOOKED:
      return "booked";
    default:
      return "unlocked";
  }
}

}  // namespace

void Page::Run() {
  for (size_t next = 0; !Done(); ++next) Visit(edges_[next % edges_.size()]);
  ended_ = true;
}

void Page::Visit(const std::string& edge) {
  auto client = WsClient::Connect("127.0.0.1", PortOf(edge), {});
  if (!client.ok()) {
    std::this_thread::sleep_for(WsClient::Millis(20));  // that edge is being restarted
    return;
  }
  ++visits_;
  // Of a change that was cut off in its midst, all seats come again.
  while (!shown_.empty() && shown_.back().revision > revision_) shown_.pop_back();
  const std::string resume = opened_ ? absl::StrCat(R"(,"resume":{"epoch":")", epoch_,
                                                    R"(","revision":)", revision_.load(), "}")
                                     : "";
  const absl::Status sent = (*client)->SendText(
      absl::StrCat(R"({"type":"subscribe","showtimeId":")", showtime_, "\"", resume, "}"));
  if (!sent.ok()) return;
  while (!Done() && !leave_.exchange(false)) {
    const auto frame = (*client)->NextJson(kLook);
    if (frame.ok()) {
      Take(*frame);
    } else if (frame.status().code() != absl::StatusCode::kDeadlineExceeded) {
      return;  // closed
    }
  }
}

void Page::Take(const boost::json::object& frame) {
  const std::string type = TextOf(frame, "type");
  if (type == "subscribed") TakeSubscribed(frame);
  if (type == "current_seat_status") TakeSnapshot(frame);
  if (type == "seat_status_change") TakeChange(frame);
  if (type == "stream_status" && !frame.at("live").as_bool()) ++stale_;
  if (type == "error") Object("an error", frame);
}

void Page::TakeSubscribed(const boost::json::object& frame) {
  if (!opened_) return;
  if (!frame.at("recovered").as_bool()) return Object("not resumed", frame);
  LearnEpoch(frame);
  ++resumed_;
}

void Page::LearnEpoch(const boost::json::object& frame) {
  const std::string epoch = TextOf(frame, "epoch");
  if (epoch_.empty()) epoch_ = epoch;
  if (!epoch.empty() && epoch != epoch_) Object("another epoch", frame);
}

void Page::TakeSnapshot(const boost::json::object& frame) {
  ++snapshots_;
  if (opened_) return Object("a snapshot after the first", frame);
  LearnEpoch(frame);
  revision_ = first_revision_ = NumberOf(frame, "revision");
  opened_ = true;
}

void Page::TakeChange(const boost::json::object& frame) {
  const int64_t revision = NumberOf(frame, "revision");
  if (revision != revision_ + 1) {
    return Object(absl::StrCat("after revision ", revision_.load()), frame);
  }
  LearnEpoch(frame);
  shown_.push_back(
      {revision, TextOf(frame, "seatId"), TextOf(frame, "status"), TextOf(frame, "cause")});
  const boost::json::value* more = frame.if_contains("more");
  if (more == nullptr || !more->as_bool()) revision_ = revision;
}

void Page::Object(const std::string& why, const boost::json::object& frame) {
  problem_ = absl::StrCat(showtime_, ": ", why, ": ", boost::json::serialize(frame));
}

std::vector<Page::Shown> Page::ShownOf(const std::vector<v1::Change>& changes, int64_t revision) {
  std::vector<Shown> shown;
  for (const v1::Change& change : changes) {
    if (static_cast<int64_t>(change.revision()) <= revision) continue;
    const std::string cause = absl::AsciiStrToLower(
        absl::StripPrefix(v1::ChangeCause_Name(change.cause()), "CHANGE_CAUSE_"));
    for (const v1::Seat& seat : change.seats()) {
      shown.push_back({static_cast<int64_t>(change.revision()), seat.seat_id(),
                       StatusOf(seat.status()), cause});
    }
  }
  return shown;
}

}  // namespace seatlock::testing
