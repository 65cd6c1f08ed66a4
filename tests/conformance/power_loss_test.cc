// Power loss: 200 cuts at random moments of a SQLite log at work. What was acknowledged is there
// afterwards and verifies; what was not is there whole or not at all; nothing else is; work goes
// on, under the same generation. The control, the same without syncing, must lose what was
// acknowledged.
//
// Run again with SEATLOCK_SEED=... as printed; the threads' timing is not part of the seed.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "services/seatlock/log/sqlite/sqlite_log.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/power_loss_vfs.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seed.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::testing {
namespace {

using log::AppendResult;
using log::Head;
using Outcome = AppendResult::Outcome;

constexpr int kShowtimes = 6;
// A power cut comes within so many writes and syncs: a few commits, or a checkpoint.
constexpr uint64_t kOperationsMax = 150;
// Bounds a round whose cut does not come.
constexpr int kStepsMax = 1000;
// After so many cuts a new, empty disk: making the file is cut into too.
constexpr int kCutsPerDisk = 10;

// What the log has said about one showtime.
struct Said {
  Head head;                       // of the last append that was acknowledged
  std::vector<std::string> acked;  // the bytes of all records
  std::vector<std::string> unknown;
  uint64_t snapshot = 0;  // revision of the newest that was acknowledged
};

// A machine whose power fails, and somebody who writes down what its log has said.
class Machine {
 public:
  Machine(uint64_t seed, log::Durability durability)
      : durability_(durability), random_(seed), disk_(seed + 1), said_(kShowtimes) {}

  // Works until the power goes, then comes back. What is wrong then; empty where nothing is.
  std::string CutAndVerify() {
    disk_.CutAt(1 + Random(kOperationsMax));
    if (log_ == nullptr) {
      absl::Status opened = Open();
      if (!opened.ok() && !disk_.IsCut()) return std::string(opened.message());
    }
    for (int step = 0; log_ != nullptr && !disk_.IsCut(); ++step) {
      if (step == kStepsMax) return "the power was not cut";
      if (std::string wrong = Work(); !wrong.empty()) return wrong;
    }
    log_.reset();
    disk_.Restore();
    if (absl::Status opened = Open(); !opened.ok()) return std::string(opened.message());
    for (int i = 0; i < kShowtimes; ++i) {
      if (std::string wrong = Verify(i); !wrong.empty()) return Name(i) + ": " + wrong;
    }
    if (std::string wrong = Work(); !wrong.empty()) return wrong;
    if (Random(2) == 0) log_.reset();
    return "";
  }

  uint64_t lost_writes() const { return disk_.lost_writes(); }
  uint64_t acked() const {
    uint64_t count = 0;
    for (const Said& said : said_) count += said.acked.size();
    return count;
  }

 private:
  static std::string Name(int showtime) { return "showtime-" + std::to_string(showtime); }

  uint64_t Random(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(random_);
  }

  absl::Status Open() {
    log::SqliteLog::Options options;
    options.path = dir_.File("log.db");
    options.vfs = disk_.name();
    options.durability = durability_;
    options.checkpoint_pages = 20;
    auto log = log::SqliteLog::Open(options);
    if (!log.ok()) return log.status();
    log_ = *std::move(log);
    // Before anything was acknowledged the file may not have come to be at all.
    if (acked() > 0 && log_->Generation() != generation_) {
      return absl::InternalError("a cut has given the history another generation");
    }
    generation_ = log_->Generation();
    return absl::OkStatus();
  }

  // Appends to some showtimes at once, and now and then keeps a snapshot or trims.
  std::string Work() {
    std::map<int, std::vector<std::string>> sent;
    std::map<int, std::future<AppendResult>> results;
    for (int i = 0; i < kShowtimes; ++i) {
      if (Random(2) == 0) continue;
      for (uint64_t n = 1 + Random(3); n > 0; --n) sent[i].push_back(NextBytes());
      auto promise = std::make_shared<std::promise<AppendResult>>();
      results[i] = promise->get_future();
      const auto wake_ms = static_cast<int64_t>(Random(3));
      log_->Append(AppendOf(Name(i), said_[i].head, sent[i], wake_ms),
                   [promise](AppendResult result) { promise->set_value(std::move(result)); });
    }
    for (auto& [i, result] : results) {
      if (std::string wrong = Note(i, sent[i], Await(std::move(result))); !wrong.empty()) {
        return wrong;
      }
    }
    if (Random(5) == 0) Tidy(static_cast<int>(Random(kShowtimes)));
    return "";
  }

  std::string NextBytes() {
    return std::to_string(++written_) + std::string(1 + Random(2000), 'x');
  }

  std::string Note(int i, const std::vector<std::string>& sent, const AppendResult& result) {
    Said& said = said_[i];
    switch (result.outcome) {
      case Outcome::kAppended:
        said.head = result.head;
        said.acked.insert(said.acked.end(), sent.begin(), sent.end());
        return "";
      case Outcome::kUnknown:
        said.unknown = sent;
        return disk_.IsCut() ? "" : "an unknown outcome with the power on";
      case Outcome::kNotAppended:
        return disk_.IsCut() ? "" : "not appended with the power on: " + result.status.ToString();
      case Outcome::kConflict:
        return "a conflict, though nobody else appends";
      case Outcome::kNoRoom:
        return "no room, though only a shared store says so";
    }
    return "no outcome";
  }

  void Tidy(int i) {
    Said& said = said_[i];
    if (said.head.revision.value() == 0 || !said.unknown.empty()) return;
    if (SaveSnapshot(*log_, Name(i), {said.head, SnapshotBytes(said.head)}).ok()) {
      said.snapshot = said.head.revision.value();
    }
    (void)Trim(*log_, Name(i), INT64_MAX, Random(20));
  }

  static std::string SnapshotBytes(const Head& head) {
    return "snapshot at " + std::to_string(head.revision.value());
  }

  std::string Verify(int i) {
    Said& said = said_[i];
    const absl::StatusOr<log::LoadResult> load = Load(*log_, Name(i));
    if (!load.ok()) return load.status().ToString();
    std::vector<std::string> with_unknown = said.acked;
    with_unknown.insert(with_unknown.end(), said.unknown.begin(), said.unknown.end());
    const uint64_t revision = load->head.revision.value();
    if (revision == with_unknown.size()) {
      said.acked = with_unknown;  // it has landed; or there was none
    } else if (revision != said.acked.size()) {
      return "at revision " + std::to_string(revision) + ", but " +
             std::to_string(said.acked.size()) + " were acknowledged, and " +
             std::to_string(said.unknown.size()) + " unknown";
    }
    said.unknown.clear();
    said.head = load->head;
    if (std::string wrong = VerifySnapshot(said, *load); !wrong.empty()) return wrong;
    return VerifyRecords(i, load->tail.oldest.value());
  }

  static std::string VerifySnapshot(const Said& said, const log::LoadResult& load) {
    if (!load.snapshot) return said.snapshot == 0 ? "" : "an acknowledged snapshot is lost";
    const Head& head = load.snapshot->head;
    if (head.revision.value() < said.snapshot) return "an acknowledged snapshot is lost";
    return load.snapshot->bytes == SnapshotBytes(head) ? "" : "a snapshot is not what was saved";
  }

  // Reads all that is kept; the log verifies the chain meanwhile.
  std::string VerifyRecords(int i, uint64_t from) {
    const std::vector<std::string>& expected = said_[i].acked;
    while (from <= expected.size()) {
      const absl::StatusOr<log::Page> page = Read(*log_, Name(i), from);
      if (!page.ok()) return page.status().ToString();
      if (page->records.empty()) return "no records from " + std::to_string(from);
      for (const log::StoredRecord& record : page->records) {
        if (record.bytes != expected[from - 1]) return "other bytes at " + std::to_string(from);
        ++from;
      }
    }
    return "";
  }

  const log::Durability durability_;
  const TempDir dir_;
  std::mt19937_64 random_;
  PowerLossVfs disk_;
  uint64_t written_ = 0;
  std::string generation_;
  std::vector<Said> said_;
  std::unique_ptr<log::SqliteLog> log_;  // after the disk: goes first
};

// Cuts until something is wrong, at most `cuts` times. What is wrong, empty where nothing is.
std::string RunCuts(uint64_t seed, int cuts, log::Durability durability) {
  uint64_t lost_writes = 0, acked = 0;
  std::unique_ptr<Machine> machine;
  for (int cut = 0; cut < cuts; ++cut) {
    if (cut % kCutsPerDisk == 0) machine = std::make_unique<Machine>(seed + cut, durability);
    const uint64_t lost_before = machine->lost_writes(), acked_before = machine->acked();
    const std::string wrong = machine->CutAndVerify();
    if (!wrong.empty()) return "cut " + std::to_string(cut) + ": " + wrong;
    lost_writes += machine->lost_writes() - lost_before;
    acked += machine->acked() - acked_before;
  }
  // A disk that loses nothing, or a log that says nothing, would prove nothing.
  EXPECT_GT(lost_writes, 0u);
  EXPECT_GT(acked, 0u);
  std::cout << cuts << " cuts, " << acked << " records acknowledged, " << lost_writes
            << " writes lost\n";
  return "";
}

TEST(PowerLossTest, NothingAcknowledgedIsLostInACut) {
  const uint64_t seed = TestSeed();
  EXPECT_EQ(RunCuts(seed, Rounds(200), log::Durability::kFull), "")
      << "run again with SEATLOCK_SEED=" << seed;
}

TEST(PowerLossTest, ControlWithoutSyncingAcknowledgedRecordsAreLost) {
  const uint64_t seed = TestSeed();
  const std::string wrong = RunCuts(seed, 50, log::Durability::kOff);
  std::cout << "without syncing: " << wrong << "\n";
  EXPECT_NE(wrong, "") << "run again with SEATLOCK_SEED=" << seed;
}

}  // namespace
}  // namespace seatlock::testing
