// What waits to be sent to one connection, in one order: the replies and notices of its own, and
// the changes between the cursor and the end of each room that it follows, which cost nothing but
// the cursor. Gathers the next bytes for one call to the socket, and notes how many it took.
//
// Order is the thread's: everything that is to be sent takes the next number when it comes up, a
// room's entry one for all its subscribers. Strand-bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "edge/core/frame.h"
#include "edge/core/subscription.h"

namespace seatlock::edge {

// What one call to the socket is to take. One a thread, used again and again.
struct Gathering {
  // One that is sent whole or finished later: a frame, or all frames of an entry.
  struct Unit {
    Frame frame;                      // A reply, or a snapshot.
    const EntryPtr* entry = nullptr;  // Else an entry.
    Subscription* subscription = nullptr;
    size_t pieces_end = 0;  // In `pieces`.
  };
  std::vector<std::string_view> pieces;
  std::vector<Unit> units;
  size_t bytes = 0;
};

class Outbox {
 public:
  using Subscriptions = std::span<const std::unique_ptr<Subscription>>;
  struct Sent {
    uint64_t frames = 0;
    bool lagging_snapshot = false;  // One that stood for missed changes was begun.
  };

  // Replies. `order` rises from call to call.
  void Push(Frame frame, uint64_t order);
  // Nothing waits any more but the rest of what was half sent.
  void Clear();

  // Fills `gathering` with what is next; false where nothing waits.
  bool Gather(Subscriptions subscriptions, Gathering* gathering) const;
  // The socket took the first `bytes` of what was just gathered. A unit that it took in part is
  // kept until its rest is sent: the room may move on meanwhile.
  Sent Take(const Gathering& gathering, size_t bytes);

  // What waits and is not shared by a cursor, in bytes.
  size_t held_bytes() const { return held_bytes_; }

 private:
  struct Reply {
    Frame frame;
    uint64_t order = 0;
  };
  // The rest of what was half sent.
  struct Half {
    std::shared_ptr<const void> owner;
    std::vector<std::string_view> pieces;
    uint32_t frames = 0;
  };
  struct Waiting {
    std::deque<Reply> replies;
    Half half;
  };

  void GatherHalf(Gathering* gathering) const;
  void KeepHalf(const Gathering& gathering, const Gathering::Unit& unit, size_t piece,
                size_t taken);
  void Done(const Gathering::Unit& unit, Sent* sent);

  std::unique_ptr<Waiting> waiting_;  // Null while there is nothing: most of the time.
  size_t held_bytes_ = 0;
};

}  // namespace seatlock::edge
