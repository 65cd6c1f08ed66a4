// A showtime's taken seats, encoded in chunks, so that a snapshot costs what has changed since the
// last one and not what the showtime holds.
//
// A chunk holds the seats from its first id up to the next chunk's, encoded one after the other. A
// change makes the chunks of its seats stale; Refresh encodes stale chunks anew, a few at a time,
// so that an actor's lock is never held for the whole showtime. Snapshots of different revisions
// share the chunks that did not change between them.
//
// Thread-compatible: guarded by its actor's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/engine/message.h"
#include "services/seatlock/engine/watch_encoder.h"

namespace seatlock::engine {

class SeatMap {
 public:
  // Both outlive the map. It holds nothing and costs nothing until Refresh is called.
  SeatMap(const WatchEncoder& encoder, ByteAccount& account);
  ~SeatMap();
  SeatMap(const SeatMap&) = delete;
  SeatMap& operator=(const SeatMap&) = delete;

  // Forgets everything: the state is another one.
  void Reset();
  // The seats of `change`, which was applied, are stale.
  void Touch(const domain::Change& change);
  // Encodes at most `max` stale chunks from `state`. True: none is stale now, Chunks() is `state`.
  bool Refresh(const domain::Showtime& state, size_t max);

  // Whether Refresh was called since the last Reset.
  bool built() const { return !chunks_.empty(); }
  // All chunks, in order; none is stale. Chunks without seats are left out.
  std::vector<Bytes> Chunks() const;
  // Bytes of memory that the map holds.
  int64_t weight() const { return weight_; }

 private:
  struct Chunk {
    domain::SeatId first;  // the first chunk begins before all ids
    Bytes bytes;           // null: stale
  };

  void MakeStale(Chunk& chunk);
  void Encode(const domain::Showtime& state, size_t index);
  size_t IndexOf(const domain::SeatId& seat) const;

  const WatchEncoder& encoder_;
  ByteAccount& account_;
  std::vector<Chunk> chunks_;  // empty: nobody has asked yet
  size_t stale_ = 0;
  int64_t weight_ = 0;  // of chunks that are not stale
};

}  // namespace seatlock::engine
