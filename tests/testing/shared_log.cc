#include "tests/testing/shared_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace seatlock::testing {

using domain::Revision;
using domain::ShowtimeId;

namespace {

absl::Status Down() {
  return absl::UnavailableError("the store cannot be reached");
}

log::AppendResult Unknown() {
  log::AppendResult result;
  result.outcome = log::AppendResult::Outcome::kUnknown;
  result.status = absl::UnavailableError("the answer was lost");
  return result;
}

std::vector<log::StoredRecord> RecordsIn(log::MemoryLog& log, const ShowtimeId& showtime) {
  std::vector<log::StoredRecord> records;
  size_t got = 1;
  while (got > 0) {
    log.Read(showtime, Revision(records.size() + 1), log::kPageRecordsMax,
             [&](absl::StatusOr<log::Page> page) {
               got = page->records.size();
               for (auto& record : page->records) records.push_back(std::move(record));
             });
  }
  return records;
}

log::Head HeadIn(log::MemoryLog& log, const ShowtimeId& showtime) {
  log::Head head;
  log.Load(showtime, [&head](const auto& loaded) { head = loaded->head; });
  return head;
}

}  // namespace

SharedStore::SharedStore() {
  Rebuild({});
}

// Makes a new log with the records that stay.
void SharedStore::Rebuild(const Reached& to) {
  generation_ = absl::StrCat("g", ++generations_);
  late_.clear();  // they were on their way to the store as it was
  std::unique_ptr<log::MemoryLog> old =
      std::exchange(real_, std::make_unique<log::MemoryLog>(generation_));
  counter_ = 0;
  std::vector<ShowtimeId> gone;
  for (auto& [showtime, wakes] : wakes_) {
    std::vector<log::StoredRecord> records = RecordsIn(*old, showtime);
    const domain::Epoch epoch = HeadIn(*old, showtime).epoch;
    const auto limit = to.find(showtime);
    if (limit != to.end()) wakes.erase(wakes.upper_bound(limit->second), wakes.end());
    const Revision last = wakes.empty() ? Revision() : wakes.rbegin()->first;
    std::erase_if(records, [&](const auto& record) { return record.revision > last; });
    counter_ += records.size();
    changed_[showtime] = counter_;
    if (records.empty()) {
      gone.push_back(showtime);
      continue;
    }
    real_->Append({showtime, {}, epoch, std::move(records), wakes.rbegin()->second, false},
                  [](const log::AppendResult&) {});
  }
  for (const ShowtimeId& showtime : gone) wakes_.erase(showtime);
}

void SharedStore::Rewind(const Reached& to) {
  Rebuild(to);
  for (SharedLog* log : logs_) {
    for (SharedLog::Answer& answer : log->held_) {
      if (answer.append && head(answer.showtime).revision < answer.append->head.revision) {
        *answer.append = Unknown();
      }
    }
  }
  for (const auto& [showtime, revision] : to) NoteDurable(showtime, head(showtime).revision);
}

void SharedStore::BecomeDurable() {
  holding_ = false;
  for (const auto& [showtime, wakes] : wakes_) NoteDurable(showtime, head(showtime).revision);
  for (Waiting& each : std::exchange(waiting_, {})) {
    each.log->SendAppend(each.showtime, std::move(each.result), std::move(each.done));
  }
}

void SharedStore::LoseUndurable() {
  holding_ = false;
  Reached to;
  for (const auto& [showtime, wakes] : wakes_) to[showtime] = durable_[showtime];
  Rewind(to);
  for (Waiting& each : std::exchange(waiting_, {})) {
    each.log->SendAppend(each.showtime, Unknown(), std::move(each.done));
  }
}

void SharedStore::Delete(const ShowtimeId& showtime) {
  const std::string generation = generation_;
  const uint64_t counter = counter_;
  Rebuild({{showtime, Revision()}});
  // Every showtime but this one is as it was.
  generation_ = generation;
  counter_ = counter + 1;
  changed_[showtime] = counter_;
  NoteDurable(showtime, Revision());
  for (SharedLog* log : logs_) log->TakeHint(showtime, Revision());
}

int SharedStore::LandLate() {
  int landed = 0;
  for (log::AppendRequest& request : std::exchange(late_, {})) {
    if (Execute(std::move(request)).outcome == log::AppendResult::Outcome::kAppended) ++landed;
  }
  return landed;
}

log::Head SharedStore::head(const ShowtimeId& showtime) {
  return HeadIn(*real_, showtime);
}

std::vector<log::StoredRecord> SharedStore::Durable(const ShowtimeId& showtime) {
  std::vector<log::StoredRecord> records = RecordsIn(*real_, showtime);
  records.resize(std::min<size_t>(records.size(), durable_[showtime].value()));
  return records;
}

void SharedStore::NoteDurable(const ShowtimeId& showtime, Revision revision) {
  durable_[showtime] = revision;
  if (on_durable_) on_durable_(showtime);
}

log::AppendResult SharedStore::Execute(log::AppendRequest request) {
  const ShowtimeId showtime = request.showtime;
  const std::optional<int64_t> wake_ms = request.wake_ms;
  const bool changes = !request.records.empty();
  log::AppendResult result;
  real_->Append(std::move(request),
                [&result](log::AppendResult done) { result = std::move(done); });
  result.generation = generation_;
  if (!changes || result.outcome != log::AppendResult::Outcome::kAppended) return result;
  wakes_[showtime][result.head.revision] = wake_ms;
  changed_[showtime] = ++counter_;
  if (!holding_) NoteDurable(showtime, result.head.revision);
  for (SharedLog* log : std::vector<SharedLog*>(logs_)) {
    log->TakeHint(showtime, result.head.revision);
  }
  return result;
}

SharedLog::SharedLog(SharedStore& store, Lies lies)
    : store_(store), lies_(lies), generation_(store.generation_) {
  store_.logs_.push_back(this);
}

SharedLog::~SharedLog() {
  std::erase(store_.logs_, this);
  std::erase_if(store_.waiting_, [this](const auto& waiting) { return waiting.log == this; });
}

void SharedLog::Append(log::AppendRequest request, AppendCallback done) {
  const bool changes = !request.records.empty();
  ++(changes ? appends_ : confirmations_);
  if (down_) return Fail(Fault::kNotAppended, std::move(request), std::move(done));
  if (changes && store_.short_of_room_ && request.takes_room) {
    log::AppendResult result;
    result.outcome = Outcome::kNoRoom;
    result.status = absl::UnavailableError("the store is short of room");
    return SendAppend(request.showtime, std::move(result), std::move(done));
  }
  const Fault fault = changes && fault_next_ ? *std::exchange(fault_next_, std::nullopt) : fault_;
  if (changes && fault != Fault::kNone) return Fail(fault, std::move(request), std::move(done));
  const ShowtimeId showtime = request.showtime;
  log::AppendResult result;
  if (!changes && lies_.confirms_from_cache) {
    result.outcome = Outcome::kAppended;
    result.head = request.expected;
    result.generation = generation_;
  } else {
    result = store_.Execute(std::move(request));
  }
  if (store_.holding_ && !lies_.answers_before_durable) {
    store_.waiting_.push_back({this, showtime, std::move(result), std::move(done)});
  } else {
    SendAppend(showtime, std::move(result), std::move(done));
  }
}

void SharedLog::Fail(Fault fault, log::AppendRequest request, AppendCallback done) {
  const ShowtimeId showtime = request.showtime;
  log::AppendResult result = Unknown();
  if (fault == Fault::kNotAppended || fault == Fault::kQueueFull || lies_.unknown_is_not_appended) {
    result.outcome = Outcome::kNotAppended;
  }
  if (fault == Fault::kQueueFull) result.status = absl::ResourceExhaustedError("too much waits");
  if (fault == Fault::kUnknownLanded) store_.Execute(std::move(request));
  if (fault == Fault::kUnknownLate) store_.late_.push_back(std::move(request));
  SendAppend(showtime, std::move(result), std::move(done));
}

void SharedLog::SendAppend(const ShowtimeId& showtime, log::AppendResult result,
                           AppendCallback done) {
  auto shared = std::make_shared<log::AppendResult>(std::move(result));
  if (lies_.hides_generation) shared->generation = generation_;
  Send({shared->generation, showtime, shared,
        [shared, done = std::move(done)]() mutable { std::move(done)(std::move(*shared)); }});
}

void SharedLog::SendRead(absl::AnyInvocable<void() &&> tell) {
  Send({store_.generation_, {}, nullptr, std::move(tell)});
}

void SharedLog::Send(Answer answer) {
  if (!holding_) return Deliver(std::move(answer));
  held_.push_back(std::move(answer));
}

void SharedLog::Deliver(Answer answer) {
  if (!lies_.hides_generation && !answer.generation.empty()) generation_ = answer.generation;
  std::move(answer.tell)();
}

void SharedLog::ReleaseOne() {
  Answer answer = std::move(held_.front());
  held_.pop_front();
  Deliver(std::move(answer));
}

void SharedLog::ReleaseNewest() {
  Answer answer = std::move(held_.back());
  held_.pop_back();
  Deliver(std::move(answer));
}

void SharedLog::ReleaseAnswers() {
  holding_ = false;
  while (!held_.empty()) ReleaseOne();
}

void SharedLog::ReleaseHints() {
  hints_ = Hints::kPrompt;
  auto hints = std::exchange(held_hints_, {});
  for (auto each = hints.rbegin(); each != hints.rend(); ++each) {
    TakeHint(each->first, each->second);
  }
}

void SharedLog::Pause() {
  HoldAnswers();
  SetHints(Hints::kHeld);
}

void SharedLog::Continue() {
  ReleaseHints();
  ReleaseAnswers();
}

void SharedLog::SetDown(bool down) {
  if (down_ && !down) ++returns_;
  down_ = down;
}

void SharedLog::TakeHint(const ShowtimeId& showtime, Revision revision) {
  if (hints_ == Hints::kLost || !hint_) return;
  if (hints_ == Hints::kHeld) return held_hints_.emplace_back(showtime, revision), void();
  hint_(showtime, revision);
  if (hints_ == Hints::kDoubled) hint_(showtime, revision);
}

void SharedLog::Read(ShowtimeId showtime, Revision from, size_t max_records, PageCallback done) {
  absl::StatusOr<log::Page> page = Down();
  if (!down_) {
    store_.real_->Read(std::move(showtime), from, max_records,
                       [&page](auto read) { page = std::move(read); });
  }
  SendRead([page = std::move(page), done = std::move(done)]() mutable {
    std::move(done)(std::move(page));
  });
}

void SharedLog::Load(ShowtimeId showtime, LoadCallback done) {
  ++loads_;
  absl::StatusOr<log::LoadResult> loaded = Down();
  if (!down_) {
    store_.real_->Load(std::move(showtime), [&loaded](auto load) { loaded = std::move(load); });
  }
  SendRead([loaded = std::move(loaded), done = std::move(done)]() mutable {
    std::move(done)(std::move(loaded));
  });
}

void SharedLog::SaveSnapshot(ShowtimeId showtime, log::StoredSnapshot snapshot,
                             StatusCallback done) {
  store_.real_->SaveSnapshot(std::move(showtime), std::move(snapshot), std::move(done));
}

void SharedLog::Trim(ShowtimeId, int64_t, uint64_t, StatusCallback done) {
  std::move(done)(absl::OkStatus());  // a rewind needs the records
}

void SharedLog::Due(int64_t now_ms, size_t limit, log::DueCursor after, DueCallback done) {
  store_.real_->Due(now_ms, limit, std::move(after), std::move(done));
}

void SharedLog::Recover(StatusCallback done) {
  std::move(done)(absl::UnimplementedError("a shared store settles by appending again"));
}

void SharedLog::List(ShowtimeId after, size_t limit, ListCallback done) {
  store_.real_->List(std::move(after), limit, std::move(done));
}

void SharedLog::Delete(ShowtimeId showtime, StatusCallback done) {
  store_.Delete(showtime);
  std::move(done)(absl::OkStatus());
}

void SharedLog::ClaimDue(int64_t now_ms, size_t limit, int64_t lease_ms, DueCallback done) {
  ++claims_;
  absl::StatusOr<std::vector<log::DueShowtime>> due = Down();
  if (!down_) {
    store_.real_->ClaimDue(now_ms, limit, lease_ms, [&due](auto got) { due = std::move(got); });
  }
  SendRead([due = std::move(due), done = std::move(done)]() mutable {
    std::move(done)(std::move(due));
  });
}

void SharedLog::ChangedSince(log::ChangeMark mark, ChangedCallback done) {
  absl::StatusOr<log::ChangedShowtimes> changed = Down();
  if (!down_) {
    changed = log::ChangedShowtimes{{}, {store_.counter_}};
    for (const auto& [showtime, counter] : store_.changed_) {
      if (!mark.empty() && counter > mark[0]) changed->showtimes.push_back(showtime);
    }
  }
  SendRead([changed = std::move(changed), done = std::move(done)]() mutable {
    std::move(done)(std::move(changed));
  });
}

}  // namespace seatlock::testing
