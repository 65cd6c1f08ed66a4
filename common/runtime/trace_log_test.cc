#include "common/runtime/trace_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/testing/fake_clock.h"

namespace seatlock::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TraceLogTest : public ::testing::Test {
 protected:
  // What `write` made the process's log say.
  template <typename F>
  static std::string Said(LogLevel level, F write) {
    InitLogging("test", LogFormat::kJson, level);
    ::testing::internal::CaptureStderr();
    write();
    return ::testing::internal::GetCapturedStderr();
  }
  static int64_t Lines(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  }
  void WriteMany(int64_t count) {
    for (int64_t i = 0; i < count; ++i) log_.Write(true, "call", {{"trace", "abc"}});
  }

  testing::FakeClock clock_;
  TraceLog log_{clock_};
};

TEST_F(TraceLogTest, OnlyWhatIsSampledGetsALine) {
  EXPECT_TRUE(log_.Wants(true));
  EXPECT_THAT(
      Said(LogLevel::kInfo,
           [this] {
             log_.Write(true, "call", {{"trace", "abc"}});
           }),
      HasSubstr("\"level\":\"info\",\"program\":\"test\",\"msg\":\"call\",\"trace\":\"abc\""));
  EXPECT_THAT(Said(LogLevel::kInfo, [this] { log_.Write(false, "call", {}); }), IsEmpty());
  EXPECT_FALSE(log_.Wants(false));
}

TEST_F(TraceLogTest, AtLevelDebugAllOthersGetOneToo) {
  EXPECT_THAT(Said(LogLevel::kDebug,
                   [this] {
                     EXPECT_TRUE(log_.Wants(false));
                     log_.Write(false, "call", {});
                   }),
              HasSubstr("\"level\":\"debug\""));
}

TEST_F(TraceLogTest, BeyondTheRateLinesAreLeftOutAndCounted) {
  constexpr int64_t kLeftOut = 50;
  const std::string text =
      Said(LogLevel::kInfo, [this] { WriteMany(kTraceLinesRate.burst + kLeftOut); });
  EXPECT_EQ(Lines(text), kTraceLinesRate.burst);
  EXPECT_THAT(text, Not(HasSubstr("left_out")));
  clock_.AdvanceMs(1000);
  EXPECT_THAT(Said(LogLevel::kInfo, [this] { log_.Tick(); }), HasSubstr("\"left_out\":50"));
  EXPECT_THAT(Said(LogLevel::kInfo, [this] { log_.Tick(); }), IsEmpty()) << "said once";
}

TEST_F(TraceLogTest, TheNextLineSaysTheCountIfNoTickDid) {
  Said(LogLevel::kInfo, [this] { WriteMany(kTraceLinesRate.burst + 1); });
  clock_.AdvanceMs(1000);
  const std::string text = Said(LogLevel::kInfo, [this] { WriteMany(1); });
  EXPECT_THAT(text, HasSubstr("\"left_out\":1"));
  EXPECT_EQ(Lines(text), 2);
}

}  // namespace
}  // namespace seatlock::runtime
