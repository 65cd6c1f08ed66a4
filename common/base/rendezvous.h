// Which of several servers a showtime prefers: rendezvous hashing (Thaler and Ravishankar, 1998).
//
// Every caller that has the same list of servers ranks them alike for a showtime, in whatever order
// the list was given. If a server leaves the list, only the showtimes that preferred it move.
//
// A score is FNV-1a (64 bits) over the server's address, a NUL and the showtime's id, mixed by the
// finalizer of MurmurHash3: FNV alone lets the last bytes decide too little. The Node client counts
// the same (clients/typescript/src/node/rendezvous.ts); both are tested with the same vectors.
// Pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace seatlock::base {

// Servers of one list, the addresses that its names stand for included. A store has a handful of
// servers; each costs a caller a connection and, while it is away, an attempt every few seconds.
inline constexpr size_t kServersMax = 64;

inline uint64_t RendezvousScore(std::string_view server, std::string_view showtime) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  add(server);
  add(std::string_view("\0", 1));
  add(showtime);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

// The places in `servers`, the most preferred first. Equal scores: in the order of the addresses.
inline std::vector<size_t> RankServers(const std::vector<std::string>& servers,
                                       std::string_view showtime) {
  std::vector<uint64_t> scores;
  for (const std::string& server : servers) scores.push_back(RendezvousScore(server, showtime));
  std::vector<size_t> ranked(servers.size());
  std::iota(ranked.begin(), ranked.end(), size_t{0});
  std::sort(ranked.begin(), ranked.end(), [&](size_t a, size_t b) {
    if (scores[a] != scores[b]) return scores[a] > scores[b];
    return servers[a] < servers[b];
  });
  return ranked;
}

}  // namespace seatlock::base
