// Stand-ins for what one thread's hub stands on: a socket that takes as much as it is told to,
// feeds that say what a test says, and a hub between them. Thread-compatible.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/fanout/client.h"
#include "edge/fanout/hub.h"
#include "edge/fanout/link.h"
#include "edge/limits.h"
#include "edge/showtime/room_state.h"
#include "tests/testing/edge_fakes.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/manual_executor.h"

namespace seatlock::testing {

// Keeps what was written to it, as the frames that a browser would read.
class FakeLink : public edge::Link {
 public:
  static constexpr size_t kNoBound = std::numeric_limits<size_t>::max();

  size_t Write(std::span<const std::string_view> pieces) override {
    EXPECT_FALSE(finished || dropped) << "written to after its end";
    EXPECT_LE(pieces.size(), edge::kGatherPiecesMax);
    ++writes;
    size_t taken = 0;
    for (std::string_view piece : pieces) {
      EXPECT_FALSE(piece.empty());
      piece = piece.substr(0, room);
      if (room != kNoBound) room -= piece.size();
      taken += piece.size();
      Keep(piece);
    }
    bytes += taken;
    return taken;
  }
  void Finish() override { finished = true; }
  void Drop() override { dropped = true; }
  int64_t TakeNewShowtime() override {
    ++new_showtimes;
    return new_showtime_wait_ms;
  }
  void GiveBackNewShowtime() override { ++new_showtimes_given_back; }

  // Text messages since the last Take(), whole ones.
  std::vector<std::string> Take() { return std::exchange(texts, {}); }
  // Whether a frame is there in part.
  bool half() const { return !wire_.empty(); }

  size_t room = kNoBound;  // What it takes until it is full.
  size_t writes = 0;
  size_t bytes = 0;
  std::vector<std::string> texts;
  size_t texts_total = 0;
  std::vector<std::string> pongs;
  int pings = 0;
  std::optional<int> close_code;  // 0: a close without one.
  bool finished = false;
  bool dropped = false;
  int new_showtimes = 0;  // Calls of TakeNewShowtime().
  int64_t new_showtime_wait_ms = 0;
  int new_showtimes_given_back = 0;

 protected:
  virtual void Keep(std::string_view piece) {
    wire_.append(piece);
    while (KeepFrame()) {
    }
  }

 private:
  static uint64_t BigEndian(std::string_view bytes) {
    uint64_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }

  // Moves one whole frame from `wire_` to where it belongs.
  bool KeepFrame() {
    if (wire_.size() < 2) return false;
    const auto length = static_cast<unsigned char>(wire_[1]);
    const size_t header = length < 126 ? 2 : length == 126 ? 4 : 10;
    if (wire_.size() < header) return false;
    const size_t size = header == 2 ? length : BigEndian(wire_.substr(2, header - 2));
    if (wire_.size() - header < size) return false;
    const auto opcode = static_cast<unsigned char>(wire_[0]);
    Read(opcode, wire_.substr(header, size));
    wire_.erase(0, header + size);
    return true;
  }

  void Read(unsigned opcode, std::string payload) {
    EXPECT_FALSE(close_code) << "a frame after the close";
    if (opcode == 0x81) {
      texts.push_back(std::move(payload));
      ++texts_total;
    } else if (opcode == 0x88) {
      close_code = payload.empty() ? 0 : static_cast<int>(BigEndian(payload.substr(0, 2)));
    } else if (opcode == 0x89) {
      ++pings;
    } else if (opcode == 0x8a) {
      pongs.push_back(std::move(payload));
    } else {
      ADD_FAILURE() << "a frame that begins with " << opcode;
    }
  }

  std::string wire_;
};

// One showtime as its source would know it, and the one listener of a thread.
class FakeFeed {
 public:
  explicit FakeFeed(std::string showtime_id) : showtime_id_(std::move(showtime_id)) {}

  // The listener hears of the truth as a whole; at first, or in place of all before.
  void Image(edge::FeedStatus status = edge::FeedStatus::kLive) {
    Tell(edge::FeedImage{std::make_shared<edge::RoomImage>(truth_.Image()), snapshots, status});
  }
  void Snapshot(edge::Position position, std::vector<edge::Seat> seats = {},
                edge::FeedStatus status = edge::FeedStatus::kLive) {
    truth_.AddSnapshotPart({std::move(position), std::move(seats), false});
    Image(status);
  }
  // The next change.
  edge::EntryPtr Say(std::vector<edge::Seat> seats, edge::Cause cause = edge::Cause::kLock,
                     int64_t commit_ms = 7) {
    const edge::EntryPtr entry = edge::MakeEntry(
        showtime_id_, {{epoch, truth_.position().revision + 1}, commit_ms, cause, seats});
    truth_.Apply(entry, history_bytes_max);
    Tell(edge::FeedEntry{entry, truth_.base().revision});
    return entry;
  }
  void State(edge::FeedStatus status) { Tell(edge::FeedState{status}); }
  void Answer(const edge::Position& position, std::shared_ptr<const edge::Entries> missed) {
    Tell(edge::FeedResume{position, std::move(missed)});
  }
  void Refuse(std::string message = "refused", int64_t retry_after_ms = 5000) {
    Tell(edge::FeedRefused{std::move(message), retry_after_ms});
  }

  const edge::RoomState& truth() const { return truth_; }
  bool open() const { return listener != nullptr; }

  std::string epoch = "e";
  size_t history_bytes_max = edge::kHistoryBytesMax;  // What the source keeps.
  std::vector<edge::Position> asked;                  // Of Resume().
  int opened = 0;
  edge::FeedListener* listener = nullptr;
  std::shared_ptr<edge::SnapshotCache> snapshots = std::make_shared<edge::SnapshotCache>();

 private:
  void Tell(edge::FeedEvent event) {
    if (listener != nullptr) listener->OnFeed(std::move(event));
  }

  const std::string showtime_id_;
  edge::RoomState truth_;
};

class FakeFeeds final : public edge::Feeds {
 public:
  std::unique_ptr<edge::Feed> Open(const std::string& showtime_id,
                                   edge::FeedListener* listener) override {
    FakeFeed& feed = of(showtime_id);
    feed.listener = listener;
    ++feed.opened;
    return std::make_unique<Listening>(feed, listener);
  }
  bool Follows(const std::string& showtime_id) const override {
    return followed.contains(showtime_id);
  }

  std::set<std::string> followed;  // By the edge, as a test says.

  FakeFeed& of(const std::string& showtime_id) {
    return feeds_.try_emplace(showtime_id, showtime_id).first->second;
  }

 private:
  struct Listening final : edge::Feed {
    Listening(FakeFeed& f, edge::FeedListener* l) : feed(f), listener(l) {}
    ~Listening() override {
      if (feed.listener == listener) feed.listener = nullptr;
    }
    void Resume(const edge::Position& position) override { feed.asked.push_back(position); }
    FakeFeed& feed;
    edge::FeedListener* const listener;
  };

  std::map<std::string, FakeFeed> feeds_;
};

// A thread's hub and all that it stands on. Nothing runs but in Run() and PassMs().
class FakeThread {
 public:
  // `tokens`: null where they are not looked at.
  explicit FakeThread(size_t budget_bytes = 64 << 20, edge::TokenGate* tokens = nullptr)
      : budget(budget_bytes),
        hub(edge::Env{clock, timers, executor, feeds, stats, budget, nullptr, tokens}) {
    hub.Start();
  }

  void Run() { executor.RunAll(); }
  void PassMs(int64_t ms) {
    Run();
    for (; ms > 0; --ms) {
      timers.AdvanceMs(1);
      Run();
    }
  }

  FakeClock clock;
  FakeTimers timers{clock};
  ManualExecutor executor;
  FakeFeeds feeds;
  edge::Stats stats;
  edge::MemoryBudget budget;
  edge::Hub hub;
};

// What a browser says.
inline std::string SubscribeText(const std::string& showtime_id, const std::string& session_id = "",
                                 const std::optional<edge::Position>& resume = {}) {
  std::string text = R"({"type":"subscribe","showtimeId":")" + showtime_id + "\"";
  if (!session_id.empty()) text += R"(,"sessionId":")" + session_id + "\"";
  if (resume) {
    text += R"(,"resume":{"epoch":")" + resume->epoch + R"(","revision":)" +
            std::to_string(resume->revision) + "}";
  }
  return text + "}";
}

// One connection. What it says is run at once, unless the thread is driven by hand.
template <typename LinkType = FakeLink>
class FakePeerOf {
 public:
  explicit FakePeerOf(FakeThread& thread, bool batch = false,
                      std::unique_ptr<edge::ClientTokens> tokens = nullptr)
      : thread_(thread), client(thread.hub, link, batch, {}, std::move(tokens)) {
    client.Start();
  }

  void Say(const std::string& text) {
    client.OnText(text);
    thread_.Run();
  }
  void Subscribe(const std::string& showtime_id, const std::string& session_id = "",
                 const std::optional<edge::Position>& resume = {}) {
    Say(SubscribeText(showtime_id, session_id, resume));
  }
  // The socket has room again.
  void Drain(size_t room = FakeLink::kNoBound) {
    link.room = room;
    if (client.blocked()) client.OnWritable();
    thread_.Run();
  }
  std::vector<std::string> Take() {
    thread_.Run();
    return link.Take();
  }

 private:
  FakeThread& thread_;

 public:
  LinkType link;
  edge::Client client;
};
using FakePeer = FakePeerOf<>;

inline edge::Seat LockedSeat(std::string seat_id, std::string session_id = "s") {
  return {std::move(seat_id), edge::SeatStatus::kLocked, std::move(session_id), 1'800'000'000'000};
}
inline edge::Seat FreedSeat(std::string seat_id, std::string session_id = "s") {
  return {std::move(seat_id), edge::SeatStatus::kAvailable, std::move(session_id), 0};
}

}  // namespace seatlock::testing
