// The log in memory: the reference for what the port means, for tests and for `--store=memory:`.
//
// Thread-safe. Calls back inside the call, without a lock held. What it holds is lost with it; it
// never fails, and no outcome is ever unknown.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/random.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

class MemoryLog final : public ShowtimeLog {
 public:
  MemoryLog() : MemoryLog(base::RandomHex(kGenerationBytes)) {}
  explicit MemoryLog(std::string generation) : generation_(std::move(generation)) {}

  void Append(AppendRequest request, AppendCallback done) override;
  void Read(domain::ShowtimeId showtime, domain::Revision from, size_t max_records,
            PageCallback done) override;
  void Load(domain::ShowtimeId showtime, LoadCallback done) override;
  void SaveSnapshot(domain::ShowtimeId showtime, StoredSnapshot snapshot,
                    StatusCallback done) override;
  void Trim(domain::ShowtimeId showtime, int64_t before_ms, uint64_t keep,
            StatusCallback done) override;
  void Due(int64_t now_ms, size_t limit, DueCursor after, DueCallback done) override;
  void Recover(StatusCallback done) override;
  void List(domain::ShowtimeId after, size_t limit, ListCallback done) override;
  void Delete(domain::ShowtimeId showtime, StatusCallback done) override;
  void ClaimDue(int64_t now_ms, size_t limit, int64_t lease_ms, DueCallback done) override;
  std::string Generation() const override { return generation_; }
  int64_t LatestCommitMs() const override { return 0; }
  bool Healthy() const override { return true; }
  uint64_t Returns() const override { return 0; }

 private:
  // One showtime's log. Invariant: `records` are the consecutive ones after `base`, up to `head`.
  struct Entry {
    Head head;
    int64_t last_commit_ms = 0;
    domain::Revision base;  // the newest that was trimmed; 0 for none
    Chain base_chain{};
    std::deque<StoredRecord> records;
    std::map<domain::Revision, StoredSnapshot> snapshots;
    std::optional<int64_t> wake_ms;
  };

  AppendResult AppendLocked(AppendRequest& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetWakeLocked(const domain::ShowtimeId& showtime, Entry& entry,
                     std::optional<int64_t> wake_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // nullptr: a showtime without records.
  Entry* FindLocked(const domain::ShowtimeId& showtime) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static Page PageFrom(const Entry& entry, domain::Revision from, size_t max_records);
  static bool InHistory(const Entry& entry, const Head& position);
  // Whether `position` is not in the history, and not merely trimmed.
  static bool Rewritten(const Entry& entry, const Head& position);

  const std::string generation_;

  base::Mutex mu_;
  std::map<domain::ShowtimeId, Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::set<std::pair<int64_t, domain::ShowtimeId>> wakes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::log
