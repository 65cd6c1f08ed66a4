// The whole history of a showtime, as a new watcher is shown it: what others saw is judged by it.
// Thread-safe.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/testing/eventually.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/showtime_view.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {

struct History {
  v1::ShowtimeSnapshot last;
  std::vector<v1::Change> changes;  // up to `last`
  // What was wrong with how it was shown, a line each.
  std::vector<std::string> problems;
};

// Up to `last`, a state that `client` was told.
inline History HistoryUpTo(SeatLockClient& client, v1::ShowtimeSnapshot last) {
  History history{.last = std::move(last), .changes = {}, .problems = {}};
  const auto find = [&history](const std::string& what) {
    if (!what.empty()) history.problems.push_back(what);
  };
  ShowtimeView view;
  WatchStream watch(client.stub(), history.last.showtime_id(), v1::Position());
  find(std::string(watch.FollowTo(view, history.last.revision()).message()));
  if (view.snapshots() > 0) find("a new watcher was not shown the whole history");
  find(view.DifferencesFrom(history.last));
  history.changes = view.changes();
  return history;
}

// Once nothing moves any more: every order is cancelled and every lock has ended.
inline History FinalHistory(const std::string& showtime, const std::string& server) {
  SeatLockClient client(server);
  v1::ShowtimeSnapshot last;
  const bool rests = Eventually([&] {
    const auto answer = client.Get(showtime);
    last = answer.response.snapshot();
    return answer.ok() && last.seats_size() == 0;
  });
  last.set_showtime_id(showtime);
  History history = HistoryUpTo(client, last);
  if (!rests) history.problems.push_back("never came to rest: " + last.ShortDebugString());
  return history;
}

// The changes alone; a problem is the test's.
inline std::vector<v1::Change> FinalLog(const std::string& showtime, const std::string& server) {
  const History history = FinalHistory(showtime, server);
  EXPECT_THAT(history.problems, ::testing::IsEmpty());
  return history.changes;
}

}  // namespace seatlock::testing
