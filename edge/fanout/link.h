// The wire to one client, as its Client sees it; edge/ws implements it. Strand-bound. None of these
// calls back into the client before it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace seatlock::edge {

class Link {
 public:
  virtual ~Link() = default;

  // Hands `pieces` to the socket, at most kGatherPiecesMax of them, in one call. How many bytes it
  // took: less than all where it is full, and Client::OnWritable() follows once it has room. A link
  // that is broken takes everything: that it is gone is heard by its reading side.
  virtual size_t Write(std::span<const std::string_view> pieces) = 0;
  // Nothing more will be written: says so to the peer, and goes on reading until it leaves.
  virtual void Finish() = 0;
  // Cuts the connection with no goodbye.
  virtual void Drop() = 0;
  // Takes one of the showtimes that the peer's address may open while the edge does not follow them
  // yet. 0: taken, or not counted. Else nothing was taken: in how many ms to try again
  // (retry_turns.h).
  virtual int64_t TakeNewShowtime() = 0;
  // One that was taken was not opened.
  virtual void GiveBackNewShowtime() = 0;
};

}  // namespace seatlock::edge
