#include "services/seatlock/store/verify.h"

#include <cstdio>
#include <filesystem>
#include <utility>

#include "services/seatlock/store/open_histories.h"
#include "services/seatlock/store/store_fixture.h"

namespace seatlock::store {
namespace {

using ::seatlock::testing::IsOk;
using ::testing::HasSubstr;

class VerifyTest : public StoreFixture {
 protected:
  VerifyReport Verify() {
    absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(path_), quiet_);
    EXPECT_THAT(report, IsOk());
    return report.ok() ? *report : VerifyReport{.first_fault = "none"};
  }
};

TEST_F(VerifyTest, CountsWhatASoundStoreHolds) {
  OpenLog();
  Lock("A1", "s1");
  SaveSnapshot();
  Book("A1", "s1");
  Book("A2", "s2");
  SaveSnapshot();
  Lock("A3", "s1");
  const VerifyReport live = Verify();
  CloseLog();
  const VerifyReport closed = Verify();
  for (const VerifyReport& report : {live, closed}) {
    EXPECT_EQ(report.faults, 0u) << report.first_fault;
    EXPECT_EQ(report.showtimes, 1u);
    EXPECT_EQ(report.changes, 4u);
    EXPECT_EQ(report.seats_sold, 2u);
  }
}

TEST_F(VerifyTest, FoldsFromTheOldestSnapshotWhatWasTrimmed) {
  OpenLog();
  Book("A1", "s1");
  Book("A2", "s1");
  SaveSnapshot();
  Book("A3", "s1");
  SaveSnapshot();
  Book("A4", "s1");
  ASSERT_THAT(seatlock::testing::Trim(*log_, "s", INT64_MAX, 0), IsOk());
  const VerifyReport report = Verify();
  EXPECT_EQ(report.faults, 0u) << report.first_fault;
  EXPECT_EQ(report.changes, 2u);
  EXPECT_EQ(report.seats_sold, 4u);
}

TEST_F(VerifyTest, ASeatWithTwoOwnersIsAFault) {
  OpenLog();
  Book("A1", "s1");
  Lock("A1", "s2");
  const VerifyReport report = Verify();
  EXPECT_EQ(report.faults, 1u);
  EXPECT_THAT(report.first_fault, HasSubstr("showtime s, revision 2: "));
}

TEST_F(VerifyTest, ASnapshotThatTellsAnotherStoryIsAFault) {
  OpenLog();
  Book("A1", "s1");
  Book("A2", "s1");
  domain::ShowtimeParts parts = parts_;
  parts.seats.pop_back();
  parts.orders.pop_back();
  SaveSnapshot(parts);
  const VerifyReport report = Verify();
  EXPECT_EQ(report.faults, 1u);
  EXPECT_THAT(report.first_fault, HasSubstr("revision 2: the snapshot differs"));
}

TEST_F(VerifyTest, ABrokenChainIsAFaultAndTheOthersAreVerifiedAllTheSame) {
  OpenLog();
  Book("A1", "s1");
  Book("A2", "s1");
  ASSERT_EQ(
      seatlock::testing::Append(*log_, seatlock::testing::AppendOf("t", {}, {"no record"})).outcome,
      log::AppendResult::Outcome::kAppended);
  CloseLog();
  Sql(path_, "DELETE FROM records WHERE showtime = 1 AND revision = 1");
  const VerifyReport report = Verify();
  EXPECT_EQ(report.faults, 2u);
  EXPECT_EQ(report.showtimes, 2u);
  EXPECT_THAT(report.first_fault, HasSubstr("showtime s, revision 1: the record is missing"));
}

TEST_F(VerifyTest, WhatACrashLeavesOfADeletedShowtimeIsNoFault) {
  OpenLog();
  Book("A1", "s1");
  Book("A2", "s1");
  ASSERT_THAT(seatlock::testing::Delete(*log_, "s"), IsOk());
  CloseLog();
  // As if half of it had been cleared away.
  Sql(path_,
      "INSERT INTO showtimes VALUES (77, char(1) || 77, 'epoch', 0, zeroblob(32), 2, NULL);"
      "INSERT INTO records VALUES (77, 2, 2000, zeroblob(32), zeroblob(8), x'00')");
  const VerifyReport report = Verify();
  EXPECT_EQ(report.faults, 0u) << report.first_fault;
  EXPECT_EQ(report.showtimes, 0u);
  EXPECT_EQ(report.seats_sold, 0u);
}

TEST_F(VerifyTest, AStoreThatIsUsedAndLeftMeanwhileIsVerifiedAnew) {
  OpenLog();
  const std::string bytes = log::EncodeChange(ChangeOf("A1", domain::SeatStatus::kBooked, "s1"));
  for (const char* showtime : {"a", "b", "t"}) {
    ASSERT_EQ(seatlock::testing::Append(*log_, seatlock::testing::AppendOf(showtime, {}, {bytes}))
                  .outcome,
              log::AppendResult::Outcome::kAppended);
  }
  CloseLog();
  const HookedClock clock(3, [this] {
    OpenLog();
    for (int i = 0; i < 300; ++i) Book("B" + std::to_string(i), "s1");
    CloseLog();
  });
  Progress progress(stderr, clock, false);
  const absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(path_), progress);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->faults, 0u) << report->first_fault;
  EXPECT_EQ(report->changes, 303u);
}

TEST_F(VerifyTest, ADamagedFileIsAFaultOrAnError) {
  OpenLog();
  for (int i = 0; i < 200; ++i) Lock("A" + std::to_string(i), "s1");
  CloseLog();
  {
    std::FILE* file = std::fopen(path_.c_str(), "r+b");
    std::fseek(file, -8192, SEEK_END);
    for (int i = 0; i < 4096; ++i) std::fputc('?', file);
    std::fclose(file);
  }
  const absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(path_), quiet_);
  EXPECT_TRUE(!report.ok() || report->faults > 0);
}

TEST_F(VerifyTest, AStoreThatNoServerWouldStartOnIsAFault) {
  OpenLog();
  Book("A1", "s1");
  CloseLog();
  Sql(path_, "DELETE FROM meta");
  const VerifyReport report = Verify();
  EXPECT_EQ(report.faults, 1u);
  EXPECT_THAT(report.first_fault, HasSubstr("the store has no generation"));
}

TEST_F(VerifyTest, WritesNothingNotEvenBesideTheFile) {
  OpenLog();
  Book("A1", "s1");
  CloseLog();
  std::filesystem::remove(path_ + ".lock");
  std::filesystem::remove(path_ + ".mark");
  const auto before = std::filesystem::last_write_time(path_);
  EXPECT_EQ(Verify().faults, 0u);
  EXPECT_EQ(std::filesystem::last_write_time(path_), before);
  int files = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(dir_.path())) {
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST_F(VerifyTest, ProgressIsOneLineOnATerminalAndNothingElsewhere) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  {
    Progress silent(out, base::SystemClock(), false);
    silent.Update("verifying", 1, 2);
  }
  std::fflush(out);
  EXPECT_EQ(size, 0u);
  {
    Progress shown(out, base::SystemClock(), true);
    shown.Update("verifying", 1, 2);
    shown.Update("checking", 0, 0);  // at once, for it is another step
  }
  std::fclose(out);
  EXPECT_EQ(std::string(text, size), "\r\033[Kverifying 50 %\r\033[Kchecking\r\033[K");
  free(text);
}

// A store that a server trims while it is read: the first page that is asked for is gone. If
// `moves_on`, so is the snapshot that was found beside it.
class TrimmedMeanwhile final : public log::Histories {
 public:
  TrimmedMeanwhile(std::unique_ptr<log::Histories> store, bool moves_on)
      : store_(std::move(store)), moves_on_(moves_on) {}

  absl::StatusOr<int64_t> ShowtimeCount() override { return store_->ShowtimeCount(); }
  absl::StatusOr<std::vector<domain::ShowtimeId>> Showtimes(const domain::ShowtimeId& after,
                                                            size_t limit) override {
    return store_->Showtimes(after, limit);
  }
  absl::StatusOr<std::optional<History>> Find(const domain::ShowtimeId& showtime) override {
    auto history = store_->Find(showtime);
    if (history.ok() && *history && moves_on_ && gone_) (*history)->snapshots.clear();
    return history;
  }
  absl::StatusOr<log::Page> Records(const domain::ShowtimeId& showtime, const History& history,
                                    domain::Revision from) override {
    if (!std::exchange(gone_, true)) return absl::DataLossError("the record is missing");
    return store_->Records(showtime, history, from);
  }
  absl::StatusOr<log::StoredSnapshot> Snapshot(const domain::ShowtimeId& showtime,
                                               const History& history,
                                               const log::Head& position) override {
    return store_->Snapshot(showtime, history, position);
  }
  absl::Status CheckStore() override { return store_->CheckStore(); }
  absl::Status StillWhole() const override { return store_->StillWhole(); }

 private:
  const std::unique_ptr<log::Histories> store_;
  const bool moves_on_;
  bool gone_ = false;
};

TEST_F(VerifyTest, AShowtimeThatIsTrimmedMeanwhileIsBegunAgain) {
  OpenLog();
  Lock("A1", "s1");
  SaveSnapshot();
  Book("A1", "s1");
  CloseLog();
  for (const bool moves_on : {true, false}) {
    auto store = OpenHistories(StoreConfig::Sqlite(path_));
    ASSERT_THAT(store, IsOk());
    TrimmedMeanwhile trimmed(*std::move(store), moves_on);
    const absl::StatusOr<VerifyReport> report = VerifyShowtimes(trimmed, quiet_);
    ASSERT_THAT(report, IsOk());
    // Control: if nothing else has moved, what is missing is missing.
    EXPECT_EQ(report->faults, moves_on ? 0u : 1u) << report->first_fault;
    EXPECT_EQ(report->changes, moves_on ? 2u : 0u);
  }
}

}  // namespace
}  // namespace seatlock::store
