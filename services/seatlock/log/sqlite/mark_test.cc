#include "services/seatlock/log/sqlite/mark.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::log {
namespace {

using ::seatlock::testing::IsOk;

class MarkTest : public ::testing::Test {
 protected:
  static MarkRecord Record(uint64_t commits) {
    return {.generation = "0123456789abcdef", .commits = commits, .floor = 3};
  }
  // Overwrites `bytes` bytes from `offset` on, as a write that was cut short would.
  void Spoil(std::streamoff offset, size_t bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << std::string(bytes, '?');
  }

  const seatlock::testing::TempDir dir_;
  const std::string path_ = dir_.File("store.mark");
};

TEST_F(MarkTest, IsReadAsItWasWritten) {
  absl::StatusOr<Mark> mark = Mark::Create(path_, Record(7));
  ASSERT_THAT(mark, IsOk());
  EXPECT_EQ(Mark::Read(path_), Record(7));
  for (uint64_t commits = 8; commits < 12; ++commits) {
    ASSERT_THAT(mark->Write(commits, 3), IsOk());
    EXPECT_EQ(Mark::Read(path_), Record(commits));
  }
}

TEST_F(MarkTest, CreatingTakesTheOldOnesPlaceAtOnce) {
  ASSERT_THAT(Mark::Create(path_, Record(7)), IsOk());
  MarkRecord other = Record(1);
  other.restoring = true;
  ASSERT_THAT(Mark::Create(path_, other), IsOk());
  EXPECT_EQ(Mark::Read(path_), other);
}

TEST_F(MarkTest, IsGoneOnWithInPlace) {
  for (uint64_t commits = 7; commits < 10; ++commits) {
    absl::StatusOr<Mark> mark = Mark::Create(path_, Record(1));
    for (uint64_t n = 2; n <= commits; ++n) ASSERT_THAT(mark->Write(n, 3), IsOk());
    mark = Mark::GoOn(path_, Record(20));
    ASSERT_THAT(mark, IsOk());
    EXPECT_EQ(Mark::Read(path_), Record(20));
    ASSERT_THAT(mark->Write(21, 3), IsOk());
    EXPECT_EQ(Mark::Read(path_), Record(21));
  }
  Spoil(0, 20);
  EXPECT_FALSE(Mark::GoOn(path_, Record(22)).ok()) << "the only whole slot would be at stake";
}

TEST_F(MarkTest, WhatCannotBeCreatedLeavesNothing) {
  std::filesystem::create_directories(path_ + "/full");
  EXPECT_FALSE(Mark::Create(path_, Record(7)).ok());
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(MarkTest, AWriteCutShortLeavesTheOneBefore) {
  absl::StatusOr<Mark> mark = Mark::Create(path_, Record(7));
  ASSERT_THAT(mark->Write(8, 3), IsOk());  // into the second slot
  ASSERT_THAT(mark->Write(9, 3), IsOk());  // into the first
  Spoil(20, 30);
  EXPECT_EQ(Mark::Read(path_), Record(8));
}

TEST_F(MarkTest, WhatIsMissingOrDamagedIsNone) {
  EXPECT_EQ(Mark::Read(path_), std::nullopt);
  ASSERT_THAT(Mark::Create(path_, Record(7)), IsOk());
  Spoil(0, 5000);
  EXPECT_EQ(Mark::Read(path_), std::nullopt);
  std::filesystem::resize_file(path_, 0);
  EXPECT_EQ(Mark::Read(path_), std::nullopt);
}

}  // namespace
}  // namespace seatlock::log
