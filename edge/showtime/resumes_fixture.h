// A source whose service a test plays, and a thread that asks it to resume.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "edge/limits.h"
#include "edge/showtime/source.h"
#include "tests/testing/source_fakes.h"

namespace seatlock::edge {

class ResumesTest : public ::testing::Test {
 protected:
  ResumesTest() {
    source_->Start();
    source_->Add(&thread_);
  }

  void Snapshot(uint64_t revision, const std::string& epoch = "e") {
    service().OnSnapshot({{epoch, revision}, {}, false});
  }
  // Live, with the changes of (base, head] as its history.
  void LiveAt(uint64_t base, uint64_t head) {
    Snapshot(base);
    testing::SayChanges(service(), base, head);
    thread_.Take();
  }
  void Ask(uint64_t revision, const std::string& epoch = "e") {
    source_->Resume(&thread_, {epoch, revision});
  }
  WatchSink& service() { return home_.upstream.sink("1"); }
  // The second watch.
  WatchSink& backfill() { return home_.upstream.last("1"); }
  bool backfilling() { return home_.upstream.watches("1") == 2; }
  int64_t backfills() { return home_.stats.backfills_total; }
  int restarts() { return home_.upstream.of("1").restarts; }
  void PassMs(int64_t ms) { home_.timers.AdvanceMs(ms); }
  void RefuseProbe() {
    ASSERT_TRUE(backfilling());
    backfill().OnRefused({"too many", kRefusedRetryMs});
  }

  testing::FakeHome home_;
  BackfillTurns turns_;
  testing::FakeSourceListener thread_;
  testing::FakeSourceListener other_;
  std::shared_ptr<Source> source_ = std::make_shared<Source>(home_.env(), turns_, "1");
};

}  // namespace seatlock::edge
