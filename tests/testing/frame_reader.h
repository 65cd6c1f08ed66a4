// Reads what one connection was sent the way a careful browser would, and compares each frame with
// what the rooms' changes say it must be: revisions rise without holes but where a snapshot stands
// in place, nothing comes twice, the holder's frames go to the holder alone. Thread-compatible.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "edge/protocol/events.h"
#include "edge/protocol/frames.h"

namespace seatlock::testing {

// All that was ever said of some showtimes, each from revision 1 and of one epoch.
class ShowtimeLogs {
 public:
  using Seats = std::map<std::string, edge::SeatStatus>;

  void Add(const std::string& showtime_id, edge::Change change) {
    std::vector<Seats>& states = states_[showtime_id];
    if (states.empty()) states.emplace_back();
    Seats seats = states.back();
    for (const edge::Seat& seat : change.seats) {
      seats.erase(seat.seat_id);
      if (seat.status != edge::SeatStatus::kAvailable) seats[seat.seat_id] = seat.status;
    }
    states.push_back(std::move(seats));
    changes_[showtime_id].push_back(std::move(change));
  }
  uint64_t Head(const std::string& showtime_id) const {
    const auto found = changes_.find(showtime_id);
    return found == changes_.end() ? 0 : found->second.size();
  }
  const edge::Change& At(const std::string& showtime_id, uint64_t revision) const {
    return changes_.at(showtime_id).at(revision - 1);
  }
  // What is not available at a revision.
  Seats StateAt(const std::string& showtime_id, uint64_t revision) const {
    return revision == 0 ? Seats{} : states_.at(showtime_id).at(revision);
  }

 private:
  std::map<std::string, std::vector<edge::Change>> changes_;
  std::map<std::string, std::vector<Seats>> states_;
};

class FrameReader {
 public:
  explicit FrameReader(const ShowtimeLogs& logs) : logs_(logs) {}

  // Says what the connection is about to ask for; answers come in this order.
  void WillSubscribe(const std::string& showtime_id, const std::string& session_id) {
    asked_[showtime_id].push_back(session_id);
  }

  // Whether an answer to what it asked for has not been read yet.
  bool Waits(const std::string& showtime_id) const {
    const auto found = asked_.find(showtime_id);
    return found != asked_.end() && !found->second.empty();
  }

  void Read(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) Read(text);
  }
  void Read(const std::string& text) {
    boost::system::error_code bad;
    const boost::json::value value = boost::json::parse(text, bad);
    if (bad) return Fail("no JSON: " + text);
    const boost::json::object& frame = value.as_object();
    const std::string type(frame.at("type").as_string());
    if (!frame.contains("showtimeId")) return;
    const std::string showtime_id(frame.at("showtimeId").as_string());
    View& view = views_[showtime_id];
    if (type == "subscribed") {
      Subscribed(showtime_id, frame, &view);
    } else if (type == "unsubscribed") {
      view.active = false;
    } else if (type == "stream_status") {
      view.away = !frame.at("live").as_bool();
    } else if (!view.active && !(view.away && type == "current_seat_status")) {
      Fail("not subscribed: " + text);
    } else if (type == "current_seat_status") {
      Snapshot(showtime_id, frame, &view);
    } else if (type == "seat_status_change") {
      Change(showtime_id, text, &view);
    } else if (type == "seat_changes") {
      Batch(showtime_id, frame, &view);
    } else {
      Fail("unexpected: " + text);
    }
  }

  // All has arrived: every room that it follows is as the room is, to the last change of a seat.
  void ExpectCaughtUp() {
    for (const auto& [showtime_id, view] : views_) {
      if (!view.active) continue;
      if (view.wants_snapshot || view.next_seat > 0) Fail(showtime_id + ": something is missing");
      if (view.away) Fail(showtime_id + ": nobody said that the stream is live again");
      if (view.seats != logs_.StateAt(showtime_id, logs_.Head(showtime_id))) {
        Fail(showtime_id + ": another state at revision " + std::to_string(view.revision));
      }
    }
    for (const auto& [showtime_id, sessions] : asked_) {
      if (!sessions.empty()) Fail(showtime_id + ": a subscribe was not answered");
    }
  }

  // What was wrong; empty where nothing was.
  const std::vector<std::string>& faults() const { return faults_; }
  size_t snapshots() const { return snapshots_; }
  size_t changes() const { return changes_; }

 private:
  struct View {
    bool active = false;
    bool away = false;  // As it was told last, and `subscribed` says that it is live.
    bool wants_snapshot = false;
    std::string session_id;
    uint64_t revision = 0;
    size_t next_seat = 0;  // Of the change after `revision`, whose frames are half there.
    ShowtimeLogs::Seats seats;
  };

  void Fail(std::string fault) { faults_.push_back(std::move(fault)); }

  void Subscribed(const std::string& showtime_id, const boost::json::object& frame, View* view) {
    std::deque<std::string>& sessions = asked_[showtime_id];
    if (sessions.empty()) return Fail("subscribed unasked: " + showtime_id);
    const bool recovered = frame.at("recovered").as_bool();
    const uint64_t revision = frame.at("revision").to_number<uint64_t>();
    // A page that resumes has what it had; here, what the showtime was then.
    *view = {.active = true,
             .wants_snapshot = !recovered,
             .session_id = sessions.front(),
             .revision = revision,
             .seats = logs_.StateAt(showtime_id, revision)};
    sessions.pop_front();
  }

  void Snapshot(const std::string& showtime_id, const boost::json::object& frame, View* view) {
    const uint64_t revision = frame.at("revision").to_number<uint64_t>();
    if (revision < view->revision) Fail("a snapshot of before: " + std::to_string(revision));
    if (view->next_seat > 0) Fail("a snapshot within a change");
    view->seats.clear();
    for (const auto& [field, status] : {std::pair{"bookedSeats", edge::SeatStatus::kBooked},
                                        std::pair{"lockedSeats", edge::SeatStatus::kLocked}}) {
      for (const auto& seat : frame.at(field).as_array()) {
        view->seats[std::string(seat.as_string())] = status;
      }
    }
    if (view->seats != logs_.StateAt(showtime_id, revision)) Fail("a snapshot of something else");
    view->revision = revision;
    view->wants_snapshot = false;
    ++snapshots_;
  }

  void Change(const std::string& showtime_id, const std::string& text, View* view) {
    if (view->wants_snapshot) Fail("a change before the snapshot: " + text);
    // Changes of no seats are no frames.
    while (view->revision < logs_.Head(showtime_id) &&
           logs_.At(showtime_id, view->revision + 1).seats.empty()) {
      ++view->revision;
    }
    if (view->revision == logs_.Head(showtime_id)) return Fail("a change too many: " + text);
    const edge::Change& change = logs_.At(showtime_id, view->revision + 1);
    const edge::Seat& seat = change.seats[view->next_seat];
    const bool own = !view->session_id.empty() && seat.session_id == view->session_id;
    const std::string expected =
        edge::SeatStatusChangeText(showtime_id, change, view->next_seat, own);
    if (text != expected) return Fail("got " + text + ", expected " + expected);
    Set(seat.seat_id, seat.status, view);
    ++changes_;
    if (++view->next_seat < change.seats.size()) return;
    view->next_seat = 0;
    ++view->revision;
  }

  void Batch(const std::string& showtime_id, const boost::json::object& frame, View* view) {
    const uint64_t revision = frame.at("revision").to_number<uint64_t>();
    if (view->wants_snapshot) Fail("a batch before the snapshot");
    if (revision <= view->revision) Fail("a batch of before: " + std::to_string(revision));
    if (revision > logs_.Head(showtime_id)) return Fail("a batch of what never was");
    for (const auto& one : frame.at("changes").as_array()) {
      const boost::json::array& seat = one.as_array();
      const std::string_view word(seat[1].as_string().data(), seat[1].as_string().size());
      edge::SeatStatus status = edge::SeatStatus::kBooked;
      if (word == "locked") status = edge::SeatStatus::kLocked;
      if (word == "unlocked") status = edge::SeatStatus::kAvailable;
      Set(std::string(seat[0].as_string()), status, view);
    }
    view->revision = revision;
    ++changes_;
    if (view->seats != logs_.StateAt(showtime_id, revision)) {
      Fail("another state after the batch of " + std::to_string(revision));
    }
  }

  static void Set(const std::string& seat_id, edge::SeatStatus status, View* view) {
    view->seats.erase(seat_id);
    if (status != edge::SeatStatus::kAvailable) view->seats[seat_id] = status;
  }

  const ShowtimeLogs& logs_;
  std::map<std::string, View> views_;
  std::map<std::string, std::deque<std::string>> asked_;
  std::vector<std::string> faults_;
  size_t snapshots_ = 0;
  size_t changes_ = 0;
};

}  // namespace seatlock::testing
