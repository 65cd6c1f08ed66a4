// Several logs that are open on one shared store, used as one: each call goes to the next of them.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "services/seatlock/log/showtime_log.h"

namespace seatlock::testing {

class TurnsLog final : public log::ShowtimeLog {
 public:
  TurnsLog(std::unique_ptr<log::ShowtimeLog> first, std::unique_ptr<log::ShowtimeLog> second)
      : logs_{std::move(first), std::move(second)} {}

  void Append(log::AppendRequest request, AppendCallback done) override {
    Next().Append(std::move(request), std::move(done));
  }
  void Read(domain::ShowtimeId showtime, domain::Revision from, size_t max_records,
            PageCallback done) override {
    Next().Read(std::move(showtime), from, max_records, std::move(done));
  }
  void Load(domain::ShowtimeId showtime, LoadCallback done) override {
    Next().Load(std::move(showtime), std::move(done));
  }
  void SaveSnapshot(domain::ShowtimeId showtime, log::StoredSnapshot snapshot,
                    StatusCallback done) override {
    Next().SaveSnapshot(std::move(showtime), std::move(snapshot), std::move(done));
  }
  void Trim(domain::ShowtimeId showtime, int64_t before_ms, uint64_t keep,
            StatusCallback done) override {
    Next().Trim(std::move(showtime), before_ms, keep, std::move(done));
  }
  void Due(int64_t now_ms, size_t limit, log::DueCursor after, DueCallback done) override {
    Next().Due(now_ms, limit, std::move(after), std::move(done));
  }
  void List(domain::ShowtimeId after, size_t limit, ListCallback done) override {
    Next().List(std::move(after), limit, std::move(done));
  }
  void Delete(domain::ShowtimeId showtime, StatusCallback done) override {
    Next().Delete(std::move(showtime), std::move(done));
  }
  void Recover(StatusCallback done) override { Next().Recover(std::move(done)); }
  void ClaimDue(int64_t now_ms, size_t limit, int64_t lease_ms, DueCallback done) override {
    Next().ClaimDue(now_ms, limit, lease_ms, std::move(done));
  }
  bool exclusive() const override { return logs_[0]->exclusive(); }
  void Follow(HintCallback hint) override { logs_[0]->Follow(std::move(hint)); }
  void ChangedSince(log::ChangeMark mark, ChangedCallback done) override {
    Next().ChangedSince(std::move(mark), std::move(done));
  }
  std::string Generation() const override { return logs_[0]->Generation(); }
  int64_t LatestCommitMs() const override { return logs_[0]->LatestCommitMs(); }
  bool Healthy() const override { return logs_[0]->Healthy() && logs_[1]->Healthy(); }
  uint64_t Returns() const override { return logs_[0]->Returns(); }

 private:
  log::ShowtimeLog& Next() { return *logs_[turn_.fetch_add(1) % 2]; }

  std::unique_ptr<log::ShowtimeLog> logs_[2];
  std::atomic<size_t> turn_{0};
};

}  // namespace seatlock::testing
