// All connections and all rooms of one thread. Strand-bound.
//
// Nothing is written to a socket where it comes up: clients and rooms with something to send are
// put on a list, and the next task of the thread flushes them, so that what comes together goes
// out together. A crowd is flushed in portions of kFlushPortion, between which the thread does
// other things: newcomers get in, and changes that arrive meanwhile join those that are on their
// way, in one send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "edge/fanout/client.h"
#include "edge/fanout/memory_budget.h"
#include "edge/fanout/outbox.h"
#include "edge/fanout/rooms.h"
#include "edge/fanout/token_gate.h"
#include "edge/fanout/tracer.h"
#include "edge/fanout/turn_queue.h"
#include "edge/fanout/wheel.h"
#include "edge/showtime/feed.h"
#include "edge/stats.h"
#include "edge/timers.h"

namespace seatlock::edge {

// What one thread's rooms and connections stand on. All of it outlives them. Strand-bound but where
// a type says otherwise.
struct Env {
  const base::Clock& clock;
  Timers& timers;
  base::Executor& executor;  // Tasks for this thread, in the order of their posting.
  Feeds& feeds;
  Stats& stats;                 // This thread's own.
  MemoryBudget& budget;         // All threads'.
  Tracer* tracer = nullptr;     // All threads'. Null: no client has a trace.
  TokenGate* tokens = nullptr;  // This thread's own. Null: tokens are not looked at.
};

class Hub {
 public:
  explicit Hub(const Env& env);
  // All clients are gone before.
  ~Hub();

  // Begins to tick; once.
  void Start();

  // Sends everybody away with 4200, in waves spread evenly over `window_ms`, the first one now;
  // newcomers at once.
  void Drain(int64_t window_ms);
  size_t connections() const { return clients_.size(); }

  // --- for clients and rooms ---
  const Env& env() const { return env_; }
  Rooms& rooms() { return rooms_; }
  Wheel<Client>& wheel() { return wheel_; }
  uint64_t NextOrder() { return ++order_; }
  // Scratch for one call to a socket.
  Gathering& gathering() { return gathering_; }

  void Add(Client& client);
  // The client is gone: nothing here knows it any more.
  void Remove(Client& client);
  void FlushSoon(Client& client);
  void FlushSoon(const std::shared_ptr<Room>& room);
  // The client takes no more just now, or does again.
  void Blocked(Client& client);
  void Unblocked(Client& client);
  // Something of `bytes` is held back, which others may hold too: counted once, at its largest.
  // Null: no-op.
  void Hold(const void* owner, size_t bytes);
  void Unhold(const void* owner);
  bool draining() const { return draining_; }

 private:
  void Tick();
  // Where all connections together hold back too much: cuts off those that take nothing the
  // longest.
  void ShedSlowest();
  void PostFlush();
  void Flush();
  void FlushClients(size_t* portion);
  void FlushRooms(size_t* portion);
  void DrainWave(size_t clients);
  template <typename Call>
  void Later(int64_t delay_ms, Call call);

  const Env env_;
  Rooms rooms_;
  Wheel<Client> wheel_;
  uint64_t order_ = 0;
  Gathering gathering_;
  std::vector<Client*> clients_;
  TurnQueue<Client*> flush_clients_;
  std::deque<std::shared_ptr<Room>> flush_rooms_;
  std::set<std::pair<int64_t, Client*>> blocked_;  // By since when.
  struct Held {
    size_t holders = 0;
    int64_t bytes = 0;
  };
  absl::flat_hash_map<const void*, Held> held_;
  bool flush_posted_ = false;
  bool draining_ = false;
  // Timers and tasks look whether this is still there.
  const std::shared_ptr<Hub*> self_ = std::make_shared<Hub*>(this);
};

}  // namespace seatlock::edge
