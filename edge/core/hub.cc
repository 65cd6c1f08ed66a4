#include "edge/core/hub.h"

#include <utility>

#include "edge/core/limits.h"

namespace seatlock::edge {

// Runs `call(hub)` later, unless the hub is gone by then.
template <typename Call>
void Hub::Later(int64_t delay_ms, Call call) {
  env_.timers.After(delay_ms, [weak = std::weak_ptr<Hub*>(self_), call = std::move(call)] {
    if (const auto self = weak.lock()) call(**self);
  });
}

Hub::~Hub() {
  for (const auto& [key, client] : clients_) client->Gone();
}

void Hub::Start() {
  Later(kTickMs, [](Hub& hub) { hub.Tick(); });
}

void Hub::Tick() {
  for (const auto& [key, client] : clients_) client->OnTick();
  Start();
}

std::shared_ptr<Client> Hub::Connect(Link& link, bool batch) {
  auto client = std::make_shared<Client>(env_, rooms_, link, batch);
  clients_.emplace(client.get(), client);
  client->Start();
  if (draining_) client->Close(CloseCode::kDraining, "draining");
  return client;
}

void Hub::Disconnect(Client& client) {
  client.Gone();
  clients_.erase(&client);
}

void Hub::Drain() {
  draining_ = true;
  int64_t index = 0;
  for (const auto& [key, client] : clients_) {
    const int64_t wave = index++ % kDrainWaves;
    Later(wave * kDrainWindowMs / kDrainWaves, [weak = std::weak_ptr<Client>(client)](Hub&) {
      if (const auto self = weak.lock()) self->Close(CloseCode::kDraining, "draining");
    });
  }
}

}  // namespace seatlock::edge
