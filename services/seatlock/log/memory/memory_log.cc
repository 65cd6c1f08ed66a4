#include "services/seatlock/log/memory/memory_log.h"

#include <algorithm>
#include <utility>

#include "services/seatlock/log/verify.h"

namespace seatlock::log {

using domain::Revision;
using domain::ShowtimeId;

namespace {

Page EmptyPage() {
  return Page{.head = {}, .oldest = Revision(1), .records = {}};
}

}  // namespace

void MemoryLog::Append(AppendRequest request, AppendCallback done) {
  AppendResult result;
  result.status = VerifyAppend(request);
  if (result.status.ok()) {
    base::MutexLock lock(mu_);
    result = AppendLocked(request);
  }
  std::move(done)(std::move(result));
}

AppendResult MemoryLog::AppendLocked(AppendRequest& request) {
  AppendResult result;
  Entry* entry = FindLocked(request.showtime);
  const Head head = entry == nullptr ? Head{} : entry->head;
  if (head != request.expected) {
    result.outcome = AppendResult::Outcome::kConflict;
    result.head = head;
    result.rewritten = entry == nullptr || Rewritten(*entry, request.expected);
    if (entry != nullptr && InHistory(*entry, request.expected)) {
      result.missed = PageFrom(*entry, request.expected.revision.Next(), kPageRecordsMax).records;
    }
    return result;
  }
  if (request.records.empty()) {
    result.outcome = AppendResult::Outcome::kAppended;
    result.head = head;
    return result;
  }
  if (entry == nullptr) {
    entry = &entries_[request.showtime];
    entry->base_chain = ChainStart(request.showtime, request.epoch);
  }
  const StoredRecord& last = request.records.back();
  entry->head = Head{request.epoch, last.revision, last.chain};
  entry->last_commit_ms = last.commit_ms;
  result.outcome = AppendResult::Outcome::kAppended;
  result.head = entry->head;
  SetWakeLocked(request.showtime, *entry, request.wake_ms);
  for (StoredRecord& record : request.records) entry->records.push_back(std::move(record));
  return result;
}

void MemoryLog::Read(ShowtimeId showtime, Revision from, size_t max_records, PageCallback done) {
  Page page = EmptyPage();
  {
    base::MutexLock lock(mu_);
    if (const Entry* entry = FindLocked(showtime)) page = PageFrom(*entry, from, max_records);
  }
  std::move(done)(std::move(page));
}

void MemoryLog::Load(ShowtimeId showtime, LoadCallback done) {
  LoadResult result{.head = {}, .snapshot = std::nullopt, .tail = EmptyPage()};
  {
    base::MutexLock lock(mu_);
    if (const Entry* entry = FindLocked(showtime)) {
      Revision after;
      if (!entry->snapshots.empty()) {
        result.snapshot = entry->snapshots.rbegin()->second;
        after = result.snapshot->head.revision;
      }
      result.tail = PageFrom(*entry, after.Next(), kPageRecordsMax);
      result.head = result.tail.head;
    }
  }
  std::move(done)(std::move(result));
}

void MemoryLog::SaveSnapshot(ShowtimeId showtime, StoredSnapshot snapshot, StatusCallback done) {
  absl::Status status;
  {
    base::MutexLock lock(mu_);
    Entry* entry = FindLocked(showtime);
    if (entry == nullptr || snapshot.head.revision.value() == 0 ||
        !InHistory(*entry, snapshot.head)) {
      status = absl::FailedPreconditionError("the snapshot is not of this showtime's history");
    } else {
      const Revision revision = snapshot.head.revision;
      entry->snapshots.insert_or_assign(revision, std::move(snapshot));
      if (entry->snapshots.size() > 2) entry->snapshots.erase(entry->snapshots.begin());
    }
  }
  std::move(done)(status);
}

void MemoryLog::Trim(ShowtimeId showtime, int64_t before_ms, uint64_t keep, StatusCallback done) {
  {
    base::MutexLock lock(mu_);
    Entry* entry = FindLocked(showtime);
    if (entry != nullptr && entry->snapshots.size() == 2) {
      const Revision older = entry->snapshots.begin()->first;
      while (entry->records.size() > keep) {
        const StoredRecord& oldest = entry->records.front();
        if (oldest.revision > older || oldest.commit_ms >= before_ms) break;
        entry->base = oldest.revision;
        entry->base_chain = oldest.chain;
        entry->records.pop_front();
      }
    }
  }
  std::move(done)(absl::OkStatus());
}

void MemoryLog::Due(int64_t now_ms, size_t limit, DueCursor after, DueCallback done) {
  std::vector<DueShowtime> due;
  {
    base::MutexLock lock(mu_);
    auto next = wakes_.upper_bound({after.wake_ms, std::move(after.showtime)});
    for (; next != wakes_.end() && next->first <= now_ms && due.size() < limit; ++next) {
      due.push_back({.showtime = next->second, .wake_ms = next->first});
    }
  }
  std::move(done)(std::move(due));
}

void MemoryLog::ClaimDue(int64_t now_ms, size_t limit, int64_t lease_ms, DueCallback done) {
  std::vector<DueShowtime> due;
  {
    base::MutexLock lock(mu_);
    while (due.size() < limit && !wakes_.empty() && wakes_.begin()->first <= now_ms) {
      const auto [wake_ms, showtime] = *wakes_.begin();
      due.push_back({.showtime = showtime, .wake_ms = wake_ms});
      SetWakeLocked(showtime, *FindLocked(showtime), now_ms + lease_ms);
    }
  }
  std::move(done)(std::move(due));
}

void MemoryLog::Recover(StatusCallback done) {
  std::move(done)(absl::OkStatus());
}

void MemoryLog::List(ShowtimeId after, size_t limit, ListCallback done) {
  std::vector<ListedShowtime> listed;
  limit = std::min(limit, kListedMax);
  {
    base::MutexLock lock(mu_);
    auto next = entries_.upper_bound(after);
    for (; next != entries_.end() && listed.size() < limit; ++next) {
      const auto& [showtime, entry] = *next;
      listed.push_back({showtime, entry.head, entry.last_commit_ms});
    }
  }
  std::move(done)(std::move(listed));
}

void MemoryLog::Delete(ShowtimeId showtime, StatusCallback done) {
  // Freeing a long history takes long: that happens without the lock.
  Entry deleted;
  {
    base::MutexLock lock(mu_);
    if (Entry* entry = FindLocked(showtime)) {
      SetWakeLocked(showtime, *entry, std::nullopt);
      deleted = std::move(*entry);
      entries_.erase(showtime);
    }
  }
  std::move(done)(absl::OkStatus());
}

void MemoryLog::SetWakeLocked(const ShowtimeId& showtime, Entry& entry,
                              std::optional<int64_t> wake_ms) {
  if (entry.wake_ms == wake_ms) return;
  if (entry.wake_ms) wakes_.erase({*entry.wake_ms, showtime});
  if (wake_ms) wakes_.insert({*wake_ms, showtime});
  entry.wake_ms = wake_ms;
}

MemoryLog::Entry* MemoryLog::FindLocked(const ShowtimeId& showtime) {
  auto found = entries_.find(showtime);
  return found == entries_.end() ? nullptr : &found->second;
}

Page MemoryLog::PageFrom(const Entry& entry, Revision from, size_t max_records) {
  Page page{.head = entry.head, .oldest = entry.base.Next(), .records = {}};
  if (from < page.oldest || from > entry.head.revision) return page;
  max_records = std::min(max_records, kPageRecordsMax);
  size_t bytes = 0;
  for (size_t i = from.value() - page.oldest.value(); i < entry.records.size(); ++i) {
    if (page.records.size() == max_records || bytes >= kPageBytesMax) break;
    page.records.push_back(entry.records[i]);
    bytes += entry.records[i].bytes.size();
  }
  return page;
}

bool MemoryLog::Rewritten(const Entry& entry, const Head& position) {
  if (position.revision < entry.base && position.epoch == entry.head.epoch) return false;
  return !InHistory(entry, position);
}

bool MemoryLog::InHistory(const Entry& entry, const Head& position) {
  if (position == Head{}) return true;  // every history starts from nothing
  if (position.epoch != entry.head.epoch || position.revision > entry.head.revision) return false;
  if (position.revision < entry.base || position.revision.value() == 0) return false;
  if (position.revision == entry.base) return position.chain == entry.base_chain;
  return entry.records[position.revision.value() - entry.base.value() - 1].chain == position.chain;
}

}  // namespace seatlock::log
