#include "edge/fanout/batches.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "edge/limits.h"
#include "edge/protocol/frame.h"
#include "edge/protocol/frames.h"

namespace seatlock::edge {

void SeatChanges::Add(const Change& change) {
  position_ = change.position;
  for (const Seat& seat : change.seats) seats_[seat.seat_id] = seat;
}

absl::flat_hash_set<std::string> SeatChanges::Holders() const {
  absl::flat_hash_set<std::string> holders;
  for (const auto& [id, seat] : seats_) {
    if (seat.status == SeatStatus::kLocked && !seat.session_id.empty()) {
      holders.insert(seat.session_id);
    }
  }
  return holders;
}

std::string SeatChanges::Text(std::string_view showtime_id, std::string_view session_id) const {
  std::vector<const Seat*> seats;
  seats.reserve(seats_.size());
  for (const auto& [id, seat] : seats_) seats.push_back(&seat);
  return SeatChangesText(showtime_id, position_, seats, session_id);
}

void Batches::Restart(uint64_t revision) {
  gathered_.Clear();
  kept_.clear();
  kept_bytes_ = 0;
  base_ = revision;
}

void Batches::Close(std::string_view showtime_id, uint64_t order, int64_t now_ms,
                    const std::function<bool(const std::string&)>& follows) {
  last_ms_ = now_ms;
  auto entry = std::make_shared<Entry>();
  entry->frames = 1;
  entry->change.position = gathered_.position();
  AppendFrame(Opcode::kText, gathered_.Text(showtime_id, ""), &entry->shared);
  for (const std::string& session_id : gathered_.Holders()) {
    if (!follows(session_id)) continue;
    entry->own.push_back({session_id, 0, entry->shared.size(), ""});
    AppendFrame(Opcode::kText, gathered_.Text(showtime_id, session_id), &entry->own.back().wire);
  }
  gathered_.Clear();
  kept_bytes_ += entry->bytes();
  kept_.push_back({std::move(entry), order});
  while (kept_.size() > kHistoryChangesMax ||
         (kept_bytes_ > kHistoryBytesMax && kept_.size() > 1)) {
    base_ = kept_.front().entry->revision();
    kept_bytes_ -= kept_.front().entry->bytes();
    kept_.pop_front();
  }
}

const Batches::Sent* Batches::After(uint64_t revision) const {
  const auto found = std::upper_bound(
      kept_.begin(), kept_.end(), revision,
      [](uint64_t value, const Sent& batch) { return value < batch.entry->revision(); });
  return found == kept_.end() ? nullptr : &*found;
}

}  // namespace seatlock::edge
