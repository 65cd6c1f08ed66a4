#include "common/base/reloaded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/testing/fake_clock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::base {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using ::testing::HasSubstr;

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// As whoever replaces a file should: in one step.
void Replace(const std::string& path, const std::string& text) {
  Write(path + ".new", text);
  std::filesystem::rename(path + ".new", path);
}

class ReloadedTest : public ::testing::Test {
 protected:
  void Open() {
    auto opened = Reloaded<std::string>::Open(
        clock_, {path_},
        [this]() -> absl::StatusOr<std::string> {
          ++loads_;
          auto text = ReadFile(path_, 100);
          if (text.ok() && *text == "bad") return absl::InvalidArgumentError("bad content");
          return text;
        },
        [this](const absl::Status& status) { reports_.push_back(status); });
    ASSERT_THAT(opened, IsOk());
    file_ = *std::move(opened);
  }
  void Look() {
    clock_.AdvanceMs(1000);
    file_->Tick();
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
  const std::string path_ = dir_.File("keys");
  int loads_ = 0;
  std::vector<absl::Status> reports_;
  std::unique_ptr<Reloaded<std::string>> file_;
};

TEST_F(ReloadedTest, AChangeIsTakenOnceTwoLooksSawTheSame) {
  Write(path_, "one");
  Open();
  Replace(path_, "two");
  Look();
  EXPECT_EQ(*file_->Get(), "one");
  Look();
  EXPECT_EQ(*file_->Get(), "two");
  Look();
  EXPECT_EQ(loads_, 2);
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_THAT(reports_[0], IsOk());
}

TEST_F(ReloadedTest, AFileThatIsStillWrittenToIsLeftAlone) {
  Write(path_, "one");
  Open();
  Write(path_, "hal");
  Look();
  Write(path_, "half a");
  Look();
  EXPECT_EQ(*file_->Get(), "one");
  Look();
  EXPECT_EQ(*file_->Get(), "half a");
}

TEST_F(ReloadedTest, TheLastGoodOneStaysAndTheReasonIsToldOnce) {
  Write(path_, "one");
  Open();
  Replace(path_, "bad");
  for (int i = 0; i < 5; ++i) Look();
  EXPECT_EQ(*file_->Get(), "one");
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].message(), "bad content");
  std::filesystem::remove(path_);
  for (int i = 0; i < 5; ++i) Look();
  EXPECT_EQ(*file_->Get(), "one");
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_THAT(reports_[1], StatusIs(absl::StatusCode::kNotFound));
  Replace(path_, "three");
  for (int i = 0; i < 2; ++i) Look();
  EXPECT_EQ(*file_->Get(), "three");
}

TEST_F(ReloadedTest, LooksOnceASecond) {
  Write(path_, "one");
  Open();
  Replace(path_, "two");
  for (int i = 0; i < 19; ++i) {
    clock_.AdvanceMs(100);
    file_->Tick();
  }
  EXPECT_EQ(*file_->Get(), "one");
  clock_.AdvanceMs(100);
  file_->Tick();
  EXPECT_EQ(*file_->Get(), "two");
}

TEST_F(ReloadedTest, WithoutAGoodFileNothingBegins) {
  auto opened = Reloaded<std::string>::Open(
      clock_, {path_}, [this] { return ReadFile(path_, 100); }, [](const absl::Status&) {});
  EXPECT_THAT(opened, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr(path_));
}

TEST(ReadFileTest, RefusesWhatIsTooLargeOrNoFile) {
  testing::TempDir dir;
  const std::string path = dir.File("x");
  Write(path, std::string(100, 's'));
  EXPECT_EQ(ReadFile(path, 100)->size(), 100u);
  const auto large = ReadFile(path, 99);
  EXPECT_THAT(large, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(large.status().message()), Not(HasSubstr("sss")));
  EXPECT_THAT(ReadFile(dir.path().string(), 99), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_EQ(mkfifo(dir.File("pipe").c_str(), 0600), 0);
  EXPECT_THAT(ReadFile(dir.File("pipe"), 99), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ReadFileTest, SaysWhetherOthersMayReadIt) {
  testing::TempDir dir;
  const std::string path = dir.File("x");
  Write(path, "");
  chmod(path.c_str(), 0600);
  EXPECT_FALSE(OpenToOthers(path));
  chmod(path.c_str(), 0640);
  EXPECT_TRUE(OpenToOthers(path));
  chmod(path.c_str(), 0604);
  EXPECT_TRUE(OpenToOthers(path));
}

}  // namespace
}  // namespace seatlock::base
