#include "services/seatlock/engine/seat_map.h"

#include <algorithm>
#include <string>
#include <utility>

#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

int64_t Weight(const std::string& bytes) {
  return static_cast<int64_t>(bytes.capacity());
}

}  // namespace

SeatMap::SeatMap(const WatchEncoder& encoder, ByteAccount& account)
    : encoder_(encoder), account_(account) {}

SeatMap::~SeatMap() {
  Reset();
}

void SeatMap::Reset() {
  account_.AddMapped(-weight_);
  chunks_.clear();
  stale_ = 0;
  weight_ = 0;
}

void SeatMap::Touch(const domain::Change& change) {
  if (chunks_.empty()) return;
  for (const domain::SeatAfter& seat : change.seats) MakeStale(chunks_[IndexOf(seat.seat)]);
}

bool SeatMap::Refresh(const domain::Showtime& state, size_t max) {
  if (chunks_.empty()) {
    chunks_.emplace_back();
    stale_ = 1;
  }
  for (size_t i = 0; i < chunks_.size() && stale_ > 0 && max > 0;) {
    if (chunks_[i].bytes == nullptr) {
      Encode(state, i);
      --max;
    }
    if (i < chunks_.size() && chunks_[i].bytes != nullptr) ++i;
  }
  return stale_ == 0;
}

std::vector<Bytes> SeatMap::Chunks() const {
  std::vector<Bytes> all;
  all.reserve(chunks_.size());
  for (const Chunk& chunk : chunks_) {
    if (!chunk.bytes->empty()) all.push_back(chunk.bytes);
  }
  return all;
}

void SeatMap::MakeStale(Chunk& chunk) {
  if (chunk.bytes == nullptr) return;
  weight_ -= Weight(*chunk.bytes);
  account_.AddMapped(-Weight(*chunk.bytes));
  chunk.bytes.reset();
  ++stale_;
}

// A chunk that has grown too large is cut: what does not fit becomes a stale chunk behind it. One
// that has no seats any more becomes part of the one before it.
void SeatMap::Encode(const domain::Showtime& state, size_t index) {
  const bool last = index + 1 == chunks_.size();
  std::string bytes;
  size_t taken = 0;
  for (const domain::SeatView& seat : state.TakenFrom(chunks_[index].first, kChunkSeatsMax + 1)) {
    if (!last && seat.seat >= chunks_[index + 1].first) break;
    if (++taken > kChunkSeatsMax) {
      chunks_.insert(chunks_.begin() + static_cast<ptrdiff_t>(index) + 1, Chunk{seat.seat, {}});
      ++stale_;
      break;
    }
    encoder_.AppendSeat(seat, bytes);
  }
  --stale_;
  if (taken == 0 && index > 0) {
    chunks_.erase(chunks_.begin() + static_cast<ptrdiff_t>(index));
    return;
  }
  bytes.shrink_to_fit();
  weight_ += Weight(bytes);
  account_.AddMapped(Weight(bytes));
  chunks_[index].bytes = account_.Make(std::move(bytes));
}

size_t SeatMap::IndexOf(const domain::SeatId& seat) const {
  const auto after = std::upper_bound(
      chunks_.begin() + 1, chunks_.end(), seat,
      [](const domain::SeatId& id, const Chunk& chunk) { return id < chunk.first; });
  return static_cast<size_t>(after - chunks_.begin()) - 1;
}

}  // namespace seatlock::engine
