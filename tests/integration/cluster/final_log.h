// The history of a showtime once nothing moves any more, to judge by what others were shown.
// Thread-safe.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/integration/cluster/looks.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/showtime_view.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {

// All changes of `showtime`, as a new watcher of `server` is shown them, once every seat is free.
inline std::vector<v1::Change> FinalLog(const std::string& showtime, const std::string& server) {
  SeatLockClient client(server);
  v1::ShowtimeSnapshot last;
  EXPECT_TRUE(Eventually([&] {
    const auto answer = client.Get(showtime);
    last = answer.response.snapshot();
    return answer.ok() && last.seats_size() == 0;
  })) << last.ShortDebugString();
  ShowtimeView view;
  WatchStream watch(client.stub(), showtime, v1::Position());
  EXPECT_THAT(watch.FollowTo(view, last.revision()), IsOk());
  EXPECT_EQ(view.snapshots(), 0);
  return view.changes();
}

}  // namespace seatlock::testing
