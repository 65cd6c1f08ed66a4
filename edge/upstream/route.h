// Where one showtime's streams may go: the servers in the order in which the showtime prefers them
// (common/base/rendezvous.h), without those that have failed it. Servers that serve, or that were
// not heard of yet, come before those that are there and say that they don't.
//
// Tries go in rounds: in a round each server is tried once. Strand-bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "edge/upstream/seat_servers.h"

namespace seatlock::edge {

class Route {
 public:
  using Server = std::shared_ptr<SeatServer>;

  // `servers` outlives it.
  Route(const SeatServers& servers, std::string showtime_id)
      : servers_(servers), showtime_id_(std::move(showtime_id)) {}

  // The best server for a new stream, other than `but`. Null if there is none.
  Server Best(const SeatServer* but = nullptr);
  // One that serves and that the showtime prefers to the one where its stream is; any that serves
  // if that one doesn't. Null if there is none.
  Server Better(const SeatServer& than);

  // It is not tried again in this round, nor before `again_ms`.
  void Failed(Server server, int64_t again_ms) {
    failed_.emplace_back(std::move(server), again_ms);
  }
  // Begins a round.
  void NewRound(int64_t now_ms);
  // It may be tried again: it says that it serves.
  void Forgive(const SeatServer& server);
  // When the first of those that have failed may be tried again; 0 if none asked for a pause.
  int64_t AgainMs() const;

 private:
  bool HasFailed(const SeatServer* server) const;
  void Rank();

  const SeatServers& servers_;
  const std::string showtime_id_;
  std::vector<size_t> ranked_;  // Places in the list of `version_`.
  uint64_t version_ = 0;        // None yet.
  std::vector<std::pair<Server, int64_t>> failed_;
};

}  // namespace seatlock::edge
