// A log whose appends can be held back, counted, and made to fail, over a real one.
//
// For tests of what an engine does while an append is under way, and when it fails. Not
// thread-safe: for engines on manual executors.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/log/showtime_log.h"

namespace seatlock::testing {

class FaultyLog final : public log::ShowtimeLog {
 public:
  using Outcome = log::AppendResult::Outcome;
  // What becomes of an append: done, or one of the ways to fail.
  enum class Fault { kNone, kNotAppended, kQueueFull, kUnknownLanded, kUnknownLost };

  explicit FaultyLog(log::ShowtimeLog& real) : real_(real) {}

  // Appends wait until Release. Sizes of those that wait, in records.
  void Hold() { holding_ = true; }
  std::vector<size_t> held() const {
    std::vector<size_t> sizes;
    for (const Held& held : held_) sizes.push_back(held.request.records.size());
    return sizes;
  }
  // Lets the oldest append that waits go on, with `fault`.
  void ReleaseOne(Fault fault = Fault::kNone) {
    Held held = std::move(held_.front());
    held_.pop_front();
    Do(std::move(held.request), std::move(held.done), fault);
  }
  void Release() {
    holding_ = false;
    while (!held_.empty()) ReleaseOne();
  }
  // Pages that are read from now on arrive with ReleaseReads, as they were when they were read.
  void HoldReads() { holding_reads_ = true; }
  void ReleaseReads() {
    holding_reads_ = false;
    for (HeldPage& held : std::exchange(held_pages_, {}))
      std::move(held.done)(std::move(held.page));
  }
  // Deletions wait until ReleaseDeletes, which does them. If `lost`, each then fails all the same.
  void HoldDeletes() { holding_deletes_ = true; }
  void ReleaseDeletes(bool lost = false) {
    holding_deletes_ = false;
    for (HeldDelete& held : std::exchange(held_deletes_, {})) {
      real_.Delete(std::move(held.showtime),
                   [lost, done = std::move(held.done)](absl::Status status) mutable {
                     std::move(done)(lost ? Down() : std::move(status));
                   });
    }
  }
  // Reads, loads and recoveries fail with UNAVAILABLE while set.
  // Like a store that notices it itself, it says when it is back.
  void SetDown(bool down) {
    if (down_ && !down) ++returns_;
    down_ = down;
  }
  // What becomes of every append that is not held, from now on.
  void SetFault(Fault fault) { fault_ = fault; }
  // The record of `revision` gives DATA_LOSS to every page that it would be in.
  void DamageRecord(domain::Revision revision) { damaged_record_ = revision; }
  // Loads of `showtime` give DATA_LOSS.
  void Damage(const domain::ShowtimeId& showtime) { damaged_.insert(showtime); }
  void Repair(const domain::ShowtimeId& showtime) { damaged_.erase(showtime); }
  void SetSnapshotsFail(bool fail) { snapshots_fail_ = fail; }
  int appends() const { return appends_; }
  int loads() const { return loads_; }
  int reads() const { return reads_; }
  int lists() const { return lists_; }
  int deletes() const { return deletes_; }
  // Snapshots that were asked for.
  int snapshots() const { return snapshots_; }
  int recoveries() const { return recoveries_; }

  void Append(log::AppendRequest request, AppendCallback done) override {
    ++appends_;
    if (!holding_) return Do(std::move(request), std::move(done), fault_);
    held_.push_back({std::move(request), std::move(done)});
  }
  void Read(domain::ShowtimeId showtime, domain::Revision from, size_t max_records,
            PageCallback done) override {
    ++reads_;
    if (down_) return std::move(done)(Down());
    if (from <= damaged_record_ && damaged_record_.value() - from.value() < max_records) {
      return std::move(done)(absl::DataLossError("the record does not fit the chain"));
    }
    if (!holding_reads_) {
      return real_.Read(std::move(showtime), from, max_records, std::move(done));
    }
    real_.Read(std::move(showtime), from, max_records,
               [this, done = std::move(done)](absl::StatusOr<log::Page> page) mutable {
                 held_pages_.push_back({std::move(page), std::move(done)});
               });
  }
  void Load(domain::ShowtimeId showtime, LoadCallback done) override {
    ++loads_;
    if (down_) return std::move(done)(Down());
    if (damaged_.contains(showtime)) return std::move(done)(absl::DataLossError("damaged"));
    real_.Load(std::move(showtime), std::move(done));
  }
  void SaveSnapshot(domain::ShowtimeId showtime, log::StoredSnapshot snapshot,
                    StatusCallback done) override {
    ++snapshots_;
    if (snapshots_fail_) return std::move(done)(Down());
    real_.SaveSnapshot(std::move(showtime), std::move(snapshot), std::move(done));
  }
  void Trim(domain::ShowtimeId showtime, int64_t before_ms, uint64_t keep,
            StatusCallback done) override {
    real_.Trim(std::move(showtime), before_ms, keep, std::move(done));
  }
  void Due(int64_t now_ms, size_t limit, log::DueCursor after, DueCallback done) override {
    real_.Due(now_ms, limit, std::move(after), std::move(done));
  }
  void Recover(StatusCallback done) override {
    ++recoveries_;
    if (down_) return std::move(done)(Down());
    real_.Recover(std::move(done));
  }
  void List(domain::ShowtimeId after, size_t limit, ListCallback done) override {
    ++lists_;
    if (down_) return std::move(done)(Down());
    real_.List(std::move(after), limit, std::move(done));
  }
  void Delete(domain::ShowtimeId showtime, StatusCallback done) override {
    ++deletes_;
    if (down_) return std::move(done)(Down());
    if (holding_deletes_) {
      held_deletes_.push_back({std::move(showtime), std::move(done)});
      return;
    }
    real_.Delete(std::move(showtime), std::move(done));
  }
  std::string Generation() const override { return real_.Generation(); }
  int64_t LatestCommitMs() const override { return real_.LatestCommitMs(); }
  bool Healthy() const override { return !down_; }
  uint64_t Returns() const override { return returns_; }

 private:
  struct Held {
    log::AppendRequest request;
    AppendCallback done;
  };

  struct HeldDelete {
    domain::ShowtimeId showtime;
    StatusCallback done;
  };

  struct HeldPage {
    absl::StatusOr<log::Page> page;
    PageCallback done;
  };

  static absl::Status Down() { return absl::UnavailableError("the store is down"); }

  void Do(log::AppendRequest request, AppendCallback done, Fault fault) {
    log::AppendResult result;
    result.status = Down();
    switch (fault) {
      case Fault::kNone:
        return real_.Append(std::move(request), std::move(done));
      case Fault::kNotAppended:
        result.outcome = Outcome::kNotAppended;
        break;
      case Fault::kQueueFull:
        result.status = absl::ResourceExhaustedError("the store has too much waiting for it");
        break;
      case Fault::kUnknownLanded:
        real_.Append(std::move(request), [](log::AppendResult) {});
        result.outcome = Outcome::kUnknown;
        break;
      case Fault::kUnknownLost:
        result.outcome = Outcome::kUnknown;
        break;
    }
    std::move(done)(std::move(result));
  }

  log::ShowtimeLog& real_;
  bool holding_ = false;
  bool holding_reads_ = false;
  bool holding_deletes_ = false;
  bool down_ = false;
  bool snapshots_fail_ = false;
  Fault fault_ = Fault::kNone;
  std::set<domain::ShowtimeId> damaged_;
  domain::Revision damaged_record_;
  uint64_t returns_ = 0;
  int appends_ = 0;
  int loads_ = 0;
  int reads_ = 0;
  int lists_ = 0;
  int deletes_ = 0;
  int snapshots_ = 0;
  int recoveries_ = 0;
  std::deque<Held> held_;
  std::vector<HeldPage> held_pages_;
  std::vector<HeldDelete> held_deletes_;
};

}  // namespace seatlock::testing
