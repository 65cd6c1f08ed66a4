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

#include "edge/fanout/subscription.h"
#include "edge/protocol/frame.h"

namespace seatlock::edge {

// What one call to the socket is to take. One a thread, used again and again.
struct Gathering {
  // One that is sent whole or finished later: a frame, or all frames of an entry.
  struct Unit {
    Frame frame = {};                      // A reply, or a snapshot.
    const EntryPtr* entry = nullptr;       // Else an entry.
    Subscription* subscription = nullptr;  // Null: a reply.
    uint64_t revision = 0;                 // The subscription's, once this is sent.
    size_t pieces_end = 0;                 // In `pieces`.
    bool half = false;                     // The rest of what was half sent.
  };
  std::vector<std::string_view> pieces;
  std::vector<Unit> units;
  size_t bytes = 0;
};

class Outbox {
 public:
  using Subscriptions = std::span<const std::unique_ptr<Subscription>>;
  struct Sent {
    uint64_t frames = 0;  // Text frames.
    uint64_t snapshots = 0;
    size_t bought_bytes = 0;  // Of snapshots that a subscribe asked for, begun to be sent.
    bool caught_up = false;   // A snapshot that stood for missed changes is sent whole.
  };

  // Replies. `order` rises from call to call.
  void Push(Frame frame, uint64_t order);
  // No reply waits any more. What was half sent stays.
  void Clear();

  // Fills `gathering` with what is next; false where nothing waits.
  bool Gather(Subscriptions subscriptions, Gathering* gathering) const;
  // The socket took the first `bytes` of what was just gathered. A unit that it took in part is
  // kept until its rest is sent: the room may move on meanwhile.
  Sent Take(const Gathering& gathering, size_t bytes);

  // What the replies that wait take in memory.
  size_t reply_bytes() const { return reply_bytes_; }
  // What was half sent, null where nothing was, and what it takes in memory. Others may share it.
  const void* half_owner() const { return waiting_ ? waiting_->half.owner.get() : nullptr; }
  size_t half_owner_bytes() const { return waiting_ ? waiting_->half.owner_bytes : 0; }

 private:
  struct Reply {
    Frame frame;
    uint64_t order = 0;
  };
  // What was half sent: the rest of it, and what keeps that alive.
  struct Half {
    std::shared_ptr<const void> owner;
    size_t owner_bytes = 0;
    std::vector<std::string_view> pieces;
    uint32_t frames = 0;
    bool snapshot = false;
    bool lagging_snapshot = false;
  };
  struct Waiting {
    std::deque<Reply> replies;
    Half half;
  };

  void GatherHalf(Gathering* gathering) const;
  static void GatherFrame(const Frame& frame, Subscription* subscription, Gathering* gathering);
  static bool GatherEntry(const EntryPtr& entry, Subscription& subscription, Gathering* gathering);
  void KeepHalf(const Gathering& gathering, const Gathering::Unit& unit, size_t piece, size_t taken,
                Sent* sent);
  void Done(const Gathering::Unit& unit, Sent* sent);
  void Advance(const Gathering::Unit& unit, Sent* sent);
  void FreeIfEmpty();

  std::unique_ptr<Waiting> waiting_;  // Null while there is nothing: most of the time.
  size_t reply_bytes_ = 0;
};

}  // namespace seatlock::edge
