// All connections and all rooms of one edge. Strand-bound.
#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "edge/core/client.h"
#include "edge/core/link.h"
#include "edge/core/rooms.h"

namespace seatlock::edge {

class Hub {
 public:
  explicit Hub(const Env& env) : env_(env), rooms_(env) {}
  // Whoever is still connected follows nothing any more, and its link is not touched again.
  ~Hub();

  // Begins to tick; once.
  void Start();

  // A new connection, greeted. `link` lives until Disconnect().
  std::shared_ptr<Client> Connect(Link& link, bool batch);
  // The connection is gone.
  void Disconnect(Client& client);
  size_t connections() const { return clients_.size(); }

  // Sends everybody away with 4200, spread over kDrainWindowMs; newcomers at once.
  void Drain();

 private:
  void Tick();
  template <typename Call>
  void Later(int64_t delay_ms, Call call);

  const Env env_;
  Rooms rooms_;
  absl::flat_hash_map<Client*, std::shared_ptr<Client>> clients_;
  bool draining_ = false;
  // Timers look whether this is still there.
  const std::shared_ptr<Hub*> self_ = std::make_shared<Hub*>(this);
};

}  // namespace seatlock::edge
