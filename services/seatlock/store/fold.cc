#include "services/seatlock/store/fold.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::store {

using domain::Revision;

absl::StatusOr<Fold> Fold::Begin(log::Histories& store, domain::ShowtimeId showtime) {
  absl::StatusOr<std::optional<log::Histories::History>> history = store.Find(showtime);
  if (!history.ok()) return history.status();
  if (!*history) return absl::NotFoundError("no such showtime");
  return Begin(store, std::move(showtime), **std::move(history));
}

absl::StatusOr<Fold> Fold::Begin(log::Histories& store, domain::ShowtimeId showtime,
                                 log::Histories::History history) {
  Fold fold(store, std::move(showtime), std::move(history));
  if (absl::Status status = fold.Start(); !status.ok()) return status;
  return fold;
}

absl::Status Fold::Start() {
  if (history_.oldest.value() > 1) {
    const auto& snapshots = history_.snapshots;
    for (auto position = snapshots.rbegin(); position != snapshots.rend(); ++position) {
      if (position->revision.Next() < history_.oldest) continue;
      absl::StatusOr<std::optional<domain::ShowtimeParts>> parts = PartsAt(*position);
      if (!parts.ok()) return parts.status();
      if (!*parts) continue;
      absl::StatusOr<domain::Showtime> state = domain::Showtime::Restore(**std::move(parts));
      if (!state.ok()) return Loss(position->revision, state.status().message());
      state_ = *std::move(state);
      begin_ = position->revision;
      return absl::OkStatus();
    }
    return Loss(history_.oldest, "older records are trimmed and no snapshot stands for them");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<domain::ShowtimeParts>> Fold::PartsAt(const log::Head& position) {
  absl::StatusOr<log::StoredSnapshot> snapshot = store_->Snapshot(showtime_, history_, position);
  if (absl::IsNotFound(snapshot.status())) return std::optional<domain::ShowtimeParts>();
  if (!snapshot.ok()) return snapshot.status();
  absl::StatusOr<domain::ShowtimeParts> parts = log::DecodeSnapshot(snapshot->bytes);
  if (!parts.ok()) return Loss(position.revision, parts.status().message());
  if (parts->revision != position.revision) {
    return Loss(position.revision, "the snapshot is of another revision");
  }
  return std::optional<domain::ShowtimeParts>(*std::move(parts));
}

absl::StatusOr<std::optional<domain::Change>> Fold::Next() {
  if (page_.empty() && state_.revision() < history_.head.revision) {
    absl::StatusOr<log::Page> page = store_->Records(showtime_, history_, state_.revision().Next());
    if (!page.ok()) return page.status();
    page_.assign(std::make_move_iterator(page->records.begin()),
                 std::make_move_iterator(page->records.end()));
    if (page_.empty()) return Loss(state_.revision().Next(), "the record is missing");
  }
  if (page_.empty()) return std::optional<domain::Change>();
  const log::StoredRecord record = std::move(page_.front());
  page_.pop_front();
  absl::StatusOr<domain::Change> change = log::DecodeChange(record.bytes);
  if (!change.ok()) return Loss(record.revision, change.status().message());
  if (change->revision != record.revision || change->commit_ms != record.commit_ms) {
    return Loss(record.revision, "the record is of another revision or time");
  }
  if (absl::Status status = state_.TryApply(*change); !status.ok()) {
    return Loss(record.revision, status.message());
  }
  if (absl::Status status = CompareSnapshots(); !status.ok()) return status;
  return std::optional<domain::Change>(*std::move(change));
}

absl::Status Fold::CompareSnapshots() {
  for (const log::Head& position : history_.snapshots) {
    if (position.revision != state_.revision()) continue;
    absl::StatusOr<std::optional<domain::ShowtimeParts>> parts = PartsAt(position);
    if (!parts.ok()) return parts.status();
    if (*parts && **parts != state_.Export()) {
      return Loss(position.revision, "the snapshot differs from what the changes add up to");
    }
  }
  return absl::OkStatus();
}

absl::Status Fold::Loss(Revision revision, absl::string_view what) const {
  return absl::DataLossError(
      absl::StrCat("showtime ", showtime_.value(), ", revision ", revision.value(), ": ", what));
}

}  // namespace seatlock::store
