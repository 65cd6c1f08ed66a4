#include "edge/upstream/route.h"

#include <algorithm>

#include "common/base/rendezvous.h"

namespace seatlock::edge {

Route::Server Route::Best(const SeatServer* but) {
  Rank();
  Server second;
  for (const size_t place : ranked_) {
    const Server& server = servers_.all()[place];
    if (!server->usable() || server.get() == but || HasFailed(server.get())) continue;
    if (server->serving() || server->state() == ServerState::kUnknown) return server;
    if (!second) second = server;
  }
  return second;
}

Route::Server Route::Better(const SeatServer& than) {
  Rank();
  for (const size_t place : ranked_) {
    const Server& server = servers_.all()[place];
    if (server.get() == &than && than.serving()) return nullptr;
    if (server.get() != &than && server->serving() && !HasFailed(server.get())) return server;
  }
  return nullptr;
}

void Route::NewRound(int64_t now_ms) {
  std::erase_if(failed_, [now_ms](const auto& one) { return one.second <= now_ms; });
}

void Route::Forgive(const SeatServer& server) {
  std::erase_if(failed_, [&server](const auto& one) { return one.first.get() == &server; });
}

int64_t Route::AgainMs() const {
  int64_t first_ms = 0;
  for (const auto& [server, again_ms] : failed_) {
    if (server->usable() && (first_ms == 0 || again_ms < first_ms)) first_ms = again_ms;
  }
  return first_ms;
}

bool Route::HasFailed(const SeatServer* server) const {
  return std::any_of(failed_.begin(), failed_.end(),
                     [server](const auto& one) { return one.first.get() == server; });
}

void Route::Rank() {
  if (version_ == servers_.version()) return;
  version_ = servers_.version();
  std::vector<std::string> addresses;
  for (const Server& server : servers_.all()) addresses.push_back(server->address());
  ranked_ = base::RankServers(addresses, showtime_id_);
}

}  // namespace seatlock::edge
