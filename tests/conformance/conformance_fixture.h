// The fixture of the conformance suite: every test runs on every store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/log_factory.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

using Outcome = log::AppendResult::Outcome;

class LogConformance : public ::testing::TestWithParam<LogKind> {
 protected:
  log::ShowtimeLog& log() { return under_test_->log(); }
  LogUnderTest& under_test() { return *under_test_; }

  // Appends `bytes` after `expected`, which must be the head. The new head.
  log::Head MustAppend(const std::string& showtime, const log::Head& expected,
                       const std::vector<std::string>& bytes,
                       std::optional<int64_t> wake_ms = std::nullopt) {
    log::AppendResult result = Append(log(), AppendOf(showtime, expected, bytes, wake_ms));
    EXPECT_EQ(result.outcome, Outcome::kAppended) << result.status;
    return result.head;
  }

  // Records "r1", "r2" ... "r`count`" of a new showtime. Its heads, by revision; [0] is the start.
  std::vector<log::Head> MustFill(const std::string& showtime, int count) {
    std::vector<log::Head> heads(1);
    for (int i = 1; i <= count; ++i) {
      heads.push_back(MustAppend(showtime, heads.back(), {"r" + std::to_string(i)}));
    }
    return heads;
  }

  // The bytes of all records from `from` on, page by page.
  std::vector<std::string> AllBytes(const std::string& showtime, uint64_t from = 1) {
    std::vector<std::string> bytes;
    for (;;) {
      absl::StatusOr<log::Page> page = Read(log(), showtime, from);
      EXPECT_THAT(page, IsOk());
      if (!page.ok() || page->records.empty()) return bytes;
      for (const log::StoredRecord& record : page->records) {
        EXPECT_EQ(record.revision.value(), from++);
        bytes.push_back(record.bytes);
      }
    }
  }

 private:
  std::unique_ptr<LogUnderTest> under_test_ = GetParam().make();
};

inline std::string KindName(const ::testing::TestParamInfo<LogKind>& info) {
  return info.param.name;
}

}  // namespace seatlock::testing
