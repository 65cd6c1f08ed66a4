#include "edge/fanout/hub.h"

#include <algorithm>
#include <utility>

#include "edge/fanout/room.h"
#include "edge/limits.h"

namespace seatlock::edge {

// Runs `call(hub)` later, unless the hub is gone by then.
template <typename Call>
void Hub::Later(int64_t delay_ms, Call call) {
  env_.timers.After(delay_ms, [weak = std::weak_ptr<Hub*>(self_), call = std::move(call)] {
    if (const auto self = weak.lock()) call(**self);
  });
}

Hub::Hub(const Env& env) : env_(env), rooms_(*this), wheel_(env.clock.MonotonicMs()) {}

Hub::~Hub() {
  while (!clients_.empty()) clients_.back()->Gone();
}

void Hub::Start() {
  Later(kTickMs, [](Hub& hub) { hub.Tick(); });
}

void Hub::Tick() {
  const int64_t now_ms = env_.clock.MonotonicMs();
  wheel_.Advance(now_ms, [now_ms](Client& client) { client.OnDue(now_ms); });
  ShedSlowest();
  Start();
}

void Hub::Add(Client& client) {
  client.hub_index = static_cast<uint32_t>(clients_.size());
  clients_.push_back(&client);
  ++env_.stats.connections;
  ++env_.stats.connections_total;
}

void Hub::Remove(Client& client) {
  clients_[client.hub_index] = clients_.back();
  clients_[client.hub_index]->hub_index = client.hub_index;
  clients_.pop_back();
  wheel_.Remove(client);
  if (client.flush_queued) {
    *std::find(flush_clients_.begin(), flush_clients_.end(), &client) = nullptr;
  }
  --env_.stats.connections;
}

// ---- Flushing ----------------------------------------------------------------------------------

void Hub::FlushSoon(Client& client) {
  if (std::exchange(client.flush_queued, true)) return;
  flush_clients_.push_back(&client);
  PostFlush();
}

void Hub::FlushSoon(const std::shared_ptr<Room>& room) {
  if (std::exchange(room->flush_queued, true)) {
    room->FlushAgain();
    return;
  }
  flush_rooms_.push_back(room);
  PostFlush();
}

void Hub::PostFlush() {
  if (std::exchange(flush_posted_, true)) return;
  env_.executor.Post([weak = std::weak_ptr<Hub*>(self_)] {
    if (const auto self = weak.lock()) (*self)->Flush();
  });
}

void Hub::Flush() {
  flush_posted_ = false;
  size_t portion = kFlushPortion;
  FlushClients(&portion);
  // A crowd of newcomers does not hold up those who are there.
  portion = kFlushPortion;
  FlushRooms(&portion);
  if (!flush_clients_.empty() || !flush_rooms_.empty()) PostFlush();
  if (env_.budget.exceeded()) ShedSlowest();
}

void Hub::FlushClients(size_t* portion) {
  while (!flush_clients_.empty() && *portion > 0) {
    --*portion;
    Client* client = flush_clients_.front();
    flush_clients_.pop_front();
    if (client == nullptr) continue;
    client->flush_queued = false;
    client->LeaveIfClosing();
    client->Flush();
  }
}

// The room in front, as far as the portion goes; who is not through goes behind the others.
void Hub::FlushRooms(size_t* portion) {
  while (!flush_rooms_.empty() && *portion > 0) {
    const std::shared_ptr<Room> room = std::move(flush_rooms_.front());
    flush_rooms_.pop_front();
    if (room->Flush(portion)) {
      room->flush_queued = false;
    } else {
      flush_rooms_.push_back(room);
    }
  }
}

// ---- Slow readers ------------------------------------------------------------------------------

void Hub::Blocked(Client& client) {
  ++env_.stats.connections_blocked;
  blocked_.emplace(client.blocked_since_ms(), &client);
}

void Hub::Unblocked(Client& client) {
  --env_.stats.connections_blocked;
  blocked_.erase({client.blocked_since_ms(), &client});
}

void Hub::Hold(const void* owner, size_t bytes) {
  if (owner == nullptr) return;
  Held& held = held_[owner];
  ++held.holders;
  const int64_t more = static_cast<int64_t>(bytes) - held.bytes;
  if (more <= 0) return;
  held.bytes += more;
  env_.budget.Add(more);
}

void Hub::Unhold(const void* owner) {
  if (owner == nullptr) return;
  const auto found = held_.find(owner);
  if (--found->second.holders > 0) return;
  env_.budget.Add(-found->second.bytes);
  held_.erase(found);
}

void Hub::ShedSlowest() {
  for (const auto& [since_ms, client] : blocked_) {
    if (!env_.budget.exceeded()) return;
    client->Shed();
  }
}

// ---- Draining ----------------------------------------------------------------------------------

void Hub::Drain(int64_t window_ms) {
  draining_ = true;
  const auto crowd = static_cast<int64_t>(clients_.size());
  // A small crowd need not wait.
  const int64_t spread_ms = std::min(window_ms, crowd * kDrainMsAClient);
  const int64_t waves = std::max<int64_t>(1, spread_ms / kDrainWaveEveryMs);
  const auto each = static_cast<size_t>((crowd + waves - 1) / waves);
  for (int64_t wave = 0; wave < waves; ++wave) {
    Later(wave * kDrainWaveEveryMs, [each](Hub& hub) { hub.DrainWave(each); });
  }
}

void Hub::DrainWave(size_t clients) {
  for (Client* client : clients_) {
    if (clients == 0) return;
    if (client->closing()) continue;
    client->Close(CloseCode::kDraining, "draining");
    --clients;
  }
}

}  // namespace seatlock::edge
